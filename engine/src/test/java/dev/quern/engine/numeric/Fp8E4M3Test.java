package dev.quern.engine.numeric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Fp8E4M3Test extends FloatFormatContract {
  Fp8E4M3Test() {
    super(FloatFormat.FP8_E4M3);
  }

  @ParameterizedTest(name = "{0} -> {1}, {2}: {3}")
  @CsvSource({
    "0x0p0,       0x00, 0x00, zero",
    "-0x0p0,      0x80, 0x80, negative zero keeps its sign",
    "0x1p0,       0x38, 0x38, one: exponent field 7 is the bias",
    "0x1.1p0,     0x38, 0x38, tie between 1 and 1.125: down to the even code",
    "0x1.100002p0, 0x39, 0x39, one float above that tie: up",
    "0x1.3p0,     0x3A, 0x3A, tie between 1.125 and 1.25: up to the even code",
    "0x1.Fp0,     0x40, 0x40, tie between 1.875 and 2: the carry reaches the exponent",
    "0.1,         0x1D, 0x1D, 1.6 * 2^-4: 4.8 eighths round to 5",
    "3.14159,     0x45, 0x45, 1.5708 * 2: 4.57 eighths round to 5: 3.25",
    "-3.14159,    0xC5, 0xC5, the same with a sign",
    "0x1p-6,      0x08, 0x08, smallest normal",
    "0x1.Ep-7,    0x08, 0x08, tie between the largest subnormal and the smallest normal: even",
    "0x1.DFFFFEp-7, 0x07, 0x07, one float below that tie: stays subnormal",
    "0x1.8p-9,    0x02, 0x02, tie between the first two subnormals: up to even",
    "0x1p-9,      0x01, 0x01, smallest subnormal",
    "0x1p-10,     0x00, 0x00, half of it: tie with zero and zero is even",
    "0x1.000002p-10, 0x01, 0x01, one float above that tie",
    "-0x1p-10,    0x80, 0x80, rounds to negative zero",
    "0x1p-149,    0x00, 0x00, the smallest float",
    "448,         0x7E, 0x7E, largest",
    "464,         0x7E, 0x7E, tie between 448 and the missing 480: 448 is even",
    "0x1.D00002p8, 0x7E, 0x7F, one float above that tie: too large",
    "-0x1.D00002p8, 0xFE, 0xFF, the same with a sign",
    "480,         0x7E, 0x7F, where the next value would be there is NaN",
    "3.4028235E38, 0x7E, 0x7F, the largest float",
    "Infinity,    0x7E, 0x7F, no infinities here",
    "-Infinity,   0xFE, 0xFF, no infinities here",
    "NaN,         0x7F, 0x7F, NaN is never clamped",
  })
  void golden(String value, String saturating, String nonSaturating, String reason) {
    float input = Float.parseFloat(value);
    assertThat(Fp8E4M3.encode(input)).as(reason).isEqualTo(code(saturating));
    assertThat(Fp8E4M3.encodeNonSaturating(input)).as(reason).isEqualTo(code(nonSaturating));
  }

  private static byte code(String hex) {
    return (byte) Integer.decode(hex).intValue();
  }

  @Test
  void constantsAreTheValuesOfTheirCodes() {
    assertThat(Fp8E4M3.decode((byte) 0x7E)).isEqualTo(Fp8E4M3.MAX_VALUE);
    assertThat(Fp8E4M3.decode((byte) 0x08)).isEqualTo(Fp8E4M3.MIN_NORMAL);
    assertThat(Fp8E4M3.decode((byte) 0x01)).isEqualTo(Fp8E4M3.MIN_VALUE);
    byte afterOne = (byte) (Fp8E4M3.encode(1f) + 1);
    assertThat(Fp8E4M3.decode(afterOne) - 1f).isEqualTo(Fp8E4M3.EPSILON);
  }

  @Test
  void classifiesEveryCode() {
    int nan = 0;
    int finite = 0;
    for (int pattern = 0; pattern < 256; pattern++) {
      byte code = (byte) pattern;
      nan += Fp8E4M3.isNaN(code) ? 1 : 0;
      finite += Fp8E4M3.isFinite(code) ? 1 : 0;
      assertThat(Fp8E4M3.isNaN(code)).isEqualTo(Float.isNaN(Fp8E4M3.decode(code)));
      assertThat(Fp8E4M3.isFinite(code)).isEqualTo(Float.isFinite(Fp8E4M3.decode(code)));
    }
    assertThat(nan).isEqualTo(2);
    assertThat(finite).isEqualTo(254);
  }

  @Test
  void everyFloatEncodesToTheNearestValue() {
    FloatFormat format = FloatFormat.FP8_E4M3;
    long agreeing =
        AllFloats.agreeing(
            format,
            format.roundings().get(0),
            (from, count, code) -> {
              int equal = 0;
              for (int i = 0; i < count; i++) {
                int found = Fp8E4M3.encode(Float.intBitsToFloat(from + i)) & 0xFF;
                equal += found == code ? 1 : 0;
              }
              return equal;
            });
    assertEquals(1L << 32, agreeing);
  }

  @Test
  void everyFloatEncodesToTheNearestValueOrNan() {
    FloatFormat format = FloatFormat.FP8_E4M3;
    long agreeing =
        AllFloats.agreeing(
            format,
            format.roundings().get(1),
            (from, count, code) -> {
              int equal = 0;
              for (int i = 0; i < count; i++) {
                int found = Fp8E4M3.encodeNonSaturating(Float.intBitsToFloat(from + i)) & 0xFF;
                equal += found == code ? 1 : 0;
              }
              return equal;
            });
    assertEquals(1L << 32, agreeing);
  }
}
