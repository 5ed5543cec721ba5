package dev.quern.engine.numeric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class E8M0Test {
  private static final int NAN = 0xFF;

  @Test
  void everyCodeIsAPowerOfTwoAndRoundTripsThroughEveryEncode() {
    int visited = 0;
    for (int code = 0; code < NAN; code++) {
      float value = E8M0.decode((byte) code);
      assertThat((double) value).isEqualTo(Math.pow(2, code - 127));
      assertThat(E8M0.encode(value)).isEqualTo((byte) code);
      assertThat(E8M0.encodeDown(value)).isEqualTo((byte) code);
      assertThat(E8M0.encodeUp(value)).isEqualTo((byte) code);
      assertThat(E8M0.encodeNearest(value)).isEqualTo((byte) code);
      assertThat(E8M0.isNaN((byte) code)).isFalse();
      visited++;
    }
    assertThat(visited).isEqualTo(255);
    assertThat(E8M0.decode((byte) 0x00)).isEqualTo(E8M0.MIN_VALUE);
    assertThat(E8M0.decode((byte) 0xFE)).isEqualTo(E8M0.MAX_VALUE);
  }

  @Test
  void theLastCodeIsNan() {
    assertThat(Float.floatToRawIntBits(E8M0.decode((byte) NAN))).isEqualTo(0x7FC0_0000);
    assertThat(E8M0.isNaN((byte) NAN)).isTrue();
    int visited = 0;
    for (int bits : new int[] {0x7F80_0001, 0x7FC0_0000, 0x7FFF_FFFF, 0xFF80_0001, 0xFFFF_FFFF}) {
      float nan = Float.intBitsToFloat(bits);
      assertThat(E8M0.encode(nan)).isEqualTo((byte) NAN);
      assertThat(E8M0.encodeDown(nan)).isEqualTo((byte) NAN);
      assertThat(E8M0.encodeUp(nan)).isEqualTo((byte) NAN);
      assertThat(E8M0.encodeNearest(nan)).isEqualTo((byte) NAN);
      visited++;
    }
    assertThat(visited).isEqualTo(5);
  }

  @ParameterizedTest(name = "{0} -> down {1} up {2} nearest {3}: {4}")
  @CsvSource({
    "1,              127, 127, 127, a power of two in every way",
    "0x1.000002p0,   127, 128, 127, one float above it",
    "0x1.7FFFFEp0,   127, 128, 127, one float below the tie",
    "0x1.8p0,        127, 128, 128, tie: the kept bit is a one and odd so up",
    "0x1.BFFFFEp0,   127, 128, 128, where the MX absmax rule would still go down",
    "0x1.FFFFFEp0,   127, 128, 128, one float below 2",
    "-3,             128, 129, 129, the sign is ignored",
    "0x1.8p-126,       1,   2,   2, a tie above the smallest normal float",
    "0x1.000002p-126,  1,   2,   1, one float above 2^-126",
    "0x1.FFFFFCp-127,  0,   1,   1, one float below 2^-126",
    "0x1.000004p-127,  0,   1,   1, a subnormal has a zero where the kept bit is: up at once",
    "0x1p-127,         0,   0,   0, smallest value: a subnormal float",
    "0x1.FFFFF8p-128,  0,   0,   0, below the smallest value there is nothing else",
    "0x1p-149,         0,   0,   0, the smallest float",
    "0,                0,   0,   0, there is no zero",
    "-0,               0,   0,   0, there is no zero",
    "0x1p127,        254, 254, 254, largest value",
    "0x1.000002p127, 254, 255, 254, there is no larger power of two",
    "0x1.7FFFFEp127, 254, 255, 254, one float below the last tie",
    "0x1.8p127,      254, 255, 255, the last tie goes up to NaN",
    "Infinity,       255, 255, 255, an infinite scale must not look healthy",
    "-Infinity,      255, 255, 255, an infinite scale must not look healthy",
  })
  void golden(String value, int down, int up, int nearest, String reason) {
    float input = Float.parseFloat(value);
    assertThat(E8M0.encodeDown(input)).as(reason).isEqualTo((byte) down);
    assertThat(E8M0.encodeUp(input)).as(reason).isEqualTo((byte) up);
    assertThat(E8M0.encodeNearest(input)).as(reason).isEqualTo((byte) nearest);
  }

  /**
   * Against logarithms of the exact value, for the upper halves of all floats and their fringes.
   */
  @Test
  void roundsEveryMagnitudeByItsLogarithm() {
    int visited = 0;
    for (int upper = 0; upper < 0x7F80; upper++) {
      for (int lower : new int[] {0, 1, 0x7FFF, 0x8000, 0xFFFF}) {
        float value = Float.intBitsToFloat((upper << 16) | lower);
        int floor = value == 0 ? -150 : Math.getExponent((double) value);
        double fraction = value / Math.pow(2, floor);
        int ceiling = fraction == 1 ? floor : floor + 1;
        boolean nearestUp = floor < -126 ? ceiling == -126 : fraction >= 1.5;
        check(value, E8M0.encodeDown(value), floor);
        check(value, E8M0.encodeUp(value), ceiling);
        check(value, E8M0.encodeNearest(value), nearestUp ? floor + 1 : floor);
        check(-value, E8M0.encodeNearest(-value), nearestUp ? floor + 1 : floor);
        visited++;
      }
    }
    assertThat(visited).isEqualTo(5 * 0x7F80);
  }

  private static void check(float value, byte code, int exponent) {
    int expected = exponent > 127 ? NAN : Math.max(exponent, -127) + 127;
    if (code != (byte) expected) {
      fail("%a: expected 0x%02X, found 0x%02X", value, expected, code);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"3", "-1", "0", "0x1p-128", "0x1.000002p0", "Infinity", "-Infinity"})
  void encodeRefusesWhatIsNoPowerOfTwoInRange(String value) {
    float input = Float.parseFloat(value);
    assertThatThrownBy(() -> E8M0.encode(input))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "E8M0.encode: expected a power of two from 2^-127 to 2^127 or NaN, found "
                + input
                + "; to round it, call encodeDown, encodeUp or encodeNearest");
  }
}
