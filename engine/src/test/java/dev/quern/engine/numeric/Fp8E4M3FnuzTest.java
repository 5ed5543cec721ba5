package dev.quern.engine.numeric;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Fp8E4M3FnuzTest extends FloatFormatContract {
  Fp8E4M3FnuzTest() {
    super(FloatFormat.FP8_E4M3_FNUZ);
  }

  @ParameterizedTest(name = "{0} -> {1}, {2}: {3}")
  @CsvSource({
    "0x0p0,       0x00, 0x00, zero",
    "-0x0p0,      0x00, 0x00, the code of negative zero is NaN: its sign goes",
    "0x1p0,       0x40, 0x40, one: exponent field 8 is the bias",
    "0x1.1p0,     0x40, 0x40, tie between 1 and 1.125: down to the even code",
    "0x1.100002p0, 0x41, 0x41, one float above that tie: up",
    "0x1.3p0,     0x42, 0x42, tie between 1.125 and 1.25: up to the even code",
    "0x1.Fp0,     0x48, 0x48, tie between 1.875 and 2: the carry reaches the exponent",
    "3.14159,     0x4D, 0x4D, 1.5708 * 2: 4.57 eighths round to 5: 3.25",
    "-3.14159,    0xCD, 0xCD, the same with a sign",
    "0x1p-7,      0x08, 0x08, smallest normal",
    "0x1.Ep-8,    0x08, 0x08, tie between the largest subnormal and the smallest normal: even",
    "0x1p-10,     0x01, 0x01, smallest subnormal",
    "-0x1p-10,    0x81, 0x81, the smallest negative value",
    "0x1p-11,     0x00, 0x00, half of it: tie with zero and zero is even",
    "-0x1p-11,    0x00, 0x00, rounds to zero and must not become NaN",
    "-0x1p-149,   0x00, 0x00, rounds to zero and must not become NaN",
    "-0x1.000002p-11, 0x81, 0x81, one float beyond that tie keeps its sign",
    "240,         0x7F, 0x7F, largest",
    "0x1.EFFFFEp7, 0x7F, 0x7F, one float below the rounding limit",
    "248,         0x7F, 0x80, tie between 240 (odd) and the missing 256: too large",
    "-248,        0xFF, 0x80, the same with a sign; NaN has none",
    "448,         0x7F, 0x80, the largest of Fp8E4M3 does not fit",
    "Infinity,    0x7F, 0x80, no infinities here",
    "-Infinity,   0xFF, 0x80, no infinities here",
    "NaN,         0x80, 0x80, the one NaN",
  })
  void golden(String value, String saturating, String nonSaturating, String reason) {
    float input = Float.parseFloat(value);
    assertThat(Fp8E4M3Fnuz.encode(input)).as(reason).isEqualTo(code(saturating));
    assertThat(Fp8E4M3Fnuz.encodeNonSaturating(input)).as(reason).isEqualTo(code(nonSaturating));
  }

  private static byte code(String hex) {
    return (byte) Integer.decode(hex).intValue();
  }

  @Test
  void constantsAreTheValuesOfTheirCodes() {
    assertThat(Fp8E4M3Fnuz.decode((byte) 0x7F)).isEqualTo(Fp8E4M3Fnuz.MAX_VALUE);
    assertThat(Fp8E4M3Fnuz.decode((byte) 0x08)).isEqualTo(Fp8E4M3Fnuz.MIN_NORMAL);
    assertThat(Fp8E4M3Fnuz.decode((byte) 0x01)).isEqualTo(Fp8E4M3Fnuz.MIN_VALUE);
    byte afterOne = (byte) (Fp8E4M3Fnuz.encode(1f) + 1);
    assertThat(Fp8E4M3Fnuz.decode(afterOne) - 1f).isEqualTo(Fp8E4M3Fnuz.EPSILON);
  }

  @Test
  void classifiesEveryCode() {
    int nan = 0;
    int finite = 0;
    for (int pattern = 0; pattern < 256; pattern++) {
      byte code = (byte) pattern;
      nan += Fp8E4M3Fnuz.isNaN(code) ? 1 : 0;
      finite += Fp8E4M3Fnuz.isFinite(code) ? 1 : 0;
      assertThat(Fp8E4M3Fnuz.isNaN(code)).isEqualTo(Float.isNaN(Fp8E4M3Fnuz.decode(code)));
      assertThat(Fp8E4M3Fnuz.isFinite(code)).isEqualTo(Float.isFinite(Fp8E4M3Fnuz.decode(code)));
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
      if ((pattern & 0x7F) != 0 && Fp8E4M3.isFinite(code)) {
        assertThat(Fp8E4M3Fnuz.decode(code)).isEqualTo(Fp8E4M3.decode(code) / 2);
        visited++;
      }
    }
    assertThat(visited).isEqualTo(252);
  }

  @Test
  void nanIsPositiveQuietAndWithoutPayload() {
    assertThat(Float.floatToRawIntBits(Fp8E4M3Fnuz.decode((byte) 0x80))).isEqualTo(0x7FC0_0000);
    float negativeNan = Float.intBitsToFloat(0xFFFF_FFFF);
    assertThat(Fp8E4M3Fnuz.encode(negativeNan)).isEqualTo((byte) 0x80);
    assertThat(Fp8E4M3Fnuz.encodeNonSaturating(negativeNan)).isEqualTo((byte) 0x80);
  }
}
