package dev.quern.engine.numeric;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Fp8E5M2Test extends FloatFormatContract {
  Fp8E5M2Test() {
    super(FloatFormat.FP8_E5M2);
  }

  @ParameterizedTest(name = "{0} -> {1}, {2}: {3}")
  @CsvSource({
    "0x0p0,       0x00, 0x00, zero",
    "-0x0p0,      0x80, 0x80, negative zero keeps its sign",
    "0x1p0,       0x3C, 0x3C, one: exponent field 15 is the bias",
    "0x1.2p0,     0x3C, 0x3C, tie between 1 and 1.25: down to the even code",
    "0x1.200002p0, 0x3D, 0x3D, one float above that tie: up",
    "0x1.6p0,     0x3E, 0x3E, tie between 1.25 and 1.5: up to the even code",
    "0x1.Ep0,     0x40, 0x40, tie between 1.75 and 2: the carry reaches the exponent",
    "0.1,         0x2E, 0x2E, 1.6 * 2^-4: 2.4 quarters round to 2",
    "3.14159,     0x42, 0x42, 1.5708 * 2: 2.28 quarters round to 2: 3",
    "-3.14159,    0xC2, 0xC2, the same with a sign",
    "0x1p-14,     0x04, 0x04, smallest normal",
    "0x1.Cp-15,   0x04, 0x04, tie between the largest subnormal and the smallest normal: even",
    "0x1.BFFFFEp-15, 0x03, 0x03, one float below that tie: stays subnormal",
    "0x1p-16,     0x01, 0x01, smallest subnormal",
    "0x1p-17,     0x00, 0x00, half of it: tie with zero and zero is even",
    "0x1.000002p-17, 0x01, 0x01, one float above that tie",
    "-0x1p-17,    0x80, 0x80, rounds to negative zero",
    "57344,       0x7B, 0x7B, largest",
    "0x1.DFFFFEp15, 0x7B, 0x7B, one float below the rounding limit",
    "61440,       0x7B, 0x7C, tie between 57344 (odd) and 65536 (even): too large",
    "-61440,      0xFB, 0xFC, the same with a sign",
    "3.4028235E38, 0x7B, 0x7C, the largest float",
    "Infinity,    0x7B, 0x7C, saturating clamps infinity too",
    "-Infinity,   0xFB, 0xFC, saturating clamps infinity too",
    "NaN,         0x7F, 0x7F, NaN is never clamped",
  })
  void golden(String value, String saturating, String nonSaturating, String reason) {
    float input = Float.parseFloat(value);
    assertThat(Fp8E5M2.encode(input)).as(reason).isEqualTo(code(saturating));
    assertThat(Fp8E5M2.encodeNonSaturating(input)).as(reason).isEqualTo(code(nonSaturating));
  }

  private static byte code(String hex) {
    return (byte) Integer.decode(hex).intValue();
  }

  @Test
  void constantsAreTheValuesOfTheirCodes() {
    assertThat(Fp8E5M2.decode((byte) 0x7B)).isEqualTo(Fp8E5M2.MAX_VALUE);
    assertThat(Fp8E5M2.decode((byte) 0x04)).isEqualTo(Fp8E5M2.MIN_NORMAL);
    assertThat(Fp8E5M2.decode((byte) 0x01)).isEqualTo(Fp8E5M2.MIN_VALUE);
    byte afterOne = (byte) (Fp8E5M2.encode(1f) + 1);
    assertThat(Fp8E5M2.decode(afterOne) - 1f).isEqualTo(Fp8E5M2.EPSILON);
  }

  @Test
  void classifiesEveryCode() {
    int nan = 0;
    int infinite = 0;
    int finite = 0;
    for (int pattern = 0; pattern < 256; pattern++) {
      byte code = (byte) pattern;
      nan += Fp8E5M2.isNaN(code) ? 1 : 0;
      infinite += Fp8E5M2.isInfinite(code) ? 1 : 0;
      assertThat(Fp8E5M2.isInfinite(code)).isEqualTo(Float.isInfinite(Fp8E5M2.decode(code)));
      finite += Fp8E5M2.isFinite(code) ? 1 : 0;
      assertThat(Fp8E5M2.isNaN(code)).isEqualTo(Float.isNaN(Fp8E5M2.decode(code)));
      assertThat(Fp8E5M2.isFinite(code)).isEqualTo(Float.isFinite(Fp8E5M2.decode(code)));
    }
    assertThat(nan).isEqualTo(6);
    assertThat(infinite).isEqualTo(2);
    assertThat(finite).isEqualTo(248);
  }

  /** An E5M2 code is the upper byte of a binary16, so the JDK's decode is a second opinion. */
  @Test
  void decodesLikeTheUpperByteOfABinary16() {
    int visited = 0;
    for (int pattern = 0; pattern < 256; pattern++) {
      float half = Float.float16ToFloat((short) (pattern << 8));
      assertThat(Fp8E5M2.decode((byte) pattern))
          .isEqualTo(Float.valueOf(half)); // boxed: NaN is NaN
      visited++;
    }
    assertThat(visited).isEqualTo(256);
  }

  @Test
  void infinityRoundTripsUnlessSaturating() {
    byte infinity = 0x7C;
    assertThat(Fp8E5M2.decode(infinity)).isEqualTo(Float.POSITIVE_INFINITY);
    assertThat(Fp8E5M2.decode((byte) 0xFC)).isEqualTo(Float.NEGATIVE_INFINITY);
    assertThat(Fp8E5M2.encodeNonSaturating(Fp8E5M2.decode(infinity))).isEqualTo(infinity);
    assertThat(Fp8E5M2.encode(Fp8E5M2.decode(infinity))).isEqualTo((byte) 0x7B);
  }
}
