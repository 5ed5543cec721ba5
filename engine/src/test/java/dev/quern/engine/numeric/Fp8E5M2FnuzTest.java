package dev.quern.engine.numeric;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Fp8E5M2FnuzTest extends FloatFormatContract {
  Fp8E5M2FnuzTest() {
    super(FloatFormat.FP8_E5M2_FNUZ);
  }

  @ParameterizedTest(name = "{0} -> {1}, {2}: {3}")
  @CsvSource({
    "0x0p0,       0x00, 0x00, zero",
    "-0x0p0,      0x00, 0x00, the code of negative zero is NaN: its sign goes",
    "0x1p0,       0x40, 0x40, one: exponent field 16 is the bias",
    "0x1.2p0,     0x40, 0x40, tie between 1 and 1.25: down to the even code",
    "0x1.200002p0, 0x41, 0x41, one float above that tie: up",
    "0x1.6p0,     0x42, 0x42, tie between 1.25 and 1.5: up to the even code",
    "0x1.Ep0,     0x44, 0x44, tie between 1.75 and 2: the carry reaches the exponent",
    "3.14159,     0x46, 0x46, 1.5708 * 2: 2.28 quarters round to 2: 3",
    "0x1p-15,     0x04, 0x04, smallest normal",
    "0x1.Cp-16,   0x04, 0x04, tie between the largest subnormal and the smallest normal: even",
    "0x1p-17,     0x01, 0x01, smallest subnormal",
    "-0x1p-17,    0x81, 0x81, the smallest negative value",
    "0x1p-18,     0x00, 0x00, half of it: tie with zero and zero is even",
    "-0x1p-18,    0x00, 0x00, rounds to zero and must not become NaN",
    "-0x1.000002p-18, 0x81, 0x81, one float beyond that tie keeps its sign",
    "57344,       0x7F, 0x7F, largest: the same as Fp8E5M2's since no exponent is spent on"
        + " infinity",
    "0x1.DFFFFEp15, 0x7F, 0x7F, one float below the rounding limit",
    "61440,       0x7F, 0x80, tie between 57344 (odd) and the missing 65536: too large",
    "-61440,      0xFF, 0x80, the same with a sign; NaN has none",
    "Infinity,    0x7F, 0x80, no infinities here",
    "-Infinity,   0xFF, 0x80, no infinities here",
    "NaN,         0x80, 0x80, the one NaN",
  })
  void golden(String value, String saturating, String nonSaturating, String reason) {
    float input = Float.parseFloat(value);
    assertThat(Fp8E5M2Fnuz.encode(input)).as(reason).isEqualTo(code(saturating));
    assertThat(Fp8E5M2Fnuz.encodeNonSaturating(input)).as(reason).isEqualTo(code(nonSaturating));
  }

  private static byte code(String hex) {
    return (byte) Integer.decode(hex).intValue();
  }

  @Test
  void constantsAreTheValuesOfTheirCodes() {
    assertThat(Fp8E5M2Fnuz.decode((byte) 0x7F)).isEqualTo(Fp8E5M2Fnuz.MAX_VALUE);
    assertThat(Fp8E5M2Fnuz.decode((byte) 0x04)).isEqualTo(Fp8E5M2Fnuz.MIN_NORMAL);
    assertThat(Fp8E5M2Fnuz.decode((byte) 0x01)).isEqualTo(Fp8E5M2Fnuz.MIN_VALUE);
    byte afterOne = (byte) (Fp8E5M2Fnuz.encode(1f) + 1);
    assertThat(Fp8E5M2Fnuz.decode(afterOne) - 1f).isEqualTo(Fp8E5M2Fnuz.EPSILON);
  }

  @Test
  void classifiesEveryCode() {
    int nan = 0;
    int finite = 0;
    for (int pattern = 0; pattern < 256; pattern++) {
      byte code = (byte) pattern;
      nan += Fp8E5M2Fnuz.isNaN(code) ? 1 : 0;
      finite += Fp8E5M2Fnuz.isFinite(code) ? 1 : 0;
      assertThat(Fp8E5M2Fnuz.isNaN(code)).isEqualTo(Float.isNaN(Fp8E5M2Fnuz.decode(code)));
      assertThat(Fp8E5M2Fnuz.isFinite(code)).isEqualTo(Float.isFinite(Fp8E5M2Fnuz.decode(code)));
    }
    assertThat(nan).isEqualTo(1);
    assertThat(finite).isEqualTo(255);
  }

  /**
   * The bias is one more than OCP's, so a code that is a normal number in both means half as much.
   */
  @Test
  void codesMeanHalfOfWhatTheyMeanInTheOcpFormat() {
    int visited = 0;
    for (int pattern = 0; pattern < 256; pattern++) {
      byte code = (byte) pattern;
      if ((pattern & 0x7F) != 0 && Fp8E5M2.isFinite(code)) {
        assertThat(Fp8E5M2Fnuz.decode(code)).isEqualTo(Fp8E5M2.decode(code) / 2);
        visited++;
      }
    }
    assertThat(visited).isEqualTo(246);
  }

  @Test
  void nanIsPositiveQuietAndWithoutPayload() {
    assertThat(Float.floatToRawIntBits(Fp8E5M2Fnuz.decode((byte) 0x80))).isEqualTo(0x7FC0_0000);
    float negativeNan = Float.intBitsToFloat(0xFFFF_FFFF);
    assertThat(Fp8E5M2Fnuz.encode(negativeNan)).isEqualTo((byte) 0x80);
    assertThat(Fp8E5M2Fnuz.encodeNonSaturating(negativeNan)).isEqualTo((byte) 0x80);
  }
}
