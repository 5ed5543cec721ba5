package dev.quern.engine.numeric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Bf16Test extends FloatFormatContract {
  Bf16Test() {
    super(FloatFormat.BF16);
  }

  @ParameterizedTest(name = "{0} -> {1}: {2}")
  @CsvSource({
    "0x0p0,          0x0000, zero",
    "-0x0p0,         0x8000, negative zero keeps its sign",
    "0x1p0,          0x3F80, one",
    "0x1.01p0,       0x3F80, tie: the kept part is even so down",
    "0x1.010002p0,   0x3F81, one float above that tie: up",
    "0x1.03p0,       0x3F82, tie: the kept part is odd so up",
    "0x1.FFp0,       0x4000, tie whose carry reaches the exponent",
    "3.1415927,      0x4049, 0x40490FDB: the lower half 0x0FDB is below half",
    "-0.1,           0xBDCD, 0xBDCCCCCD: the lower half 0xCCCD is above half",
    "0x1p-126,       0x0080, smallest normal",
    "0x1p-133,       0x0001, smallest subnormal",
    "0x1p-134,       0x0000, half of it: tie with zero and zero is even",
    "0x1p-149,       0x0000, the smallest float",
    "0x1.FEp127,     0x7F7F, largest",
    "0x1.FEFFFEp127, 0x7F7F, one float below the rounding limit",
    "0x1.FFp127,     0x7F80, tie with 2^128: infinity has the even code",
    "3.4028235E38,   0x7F80, the largest float is infinite here",
    "-Infinity,      0xFF80, infinity stays",
    "NaN,            0x7FC0, Java's NaN",
  })
  void golden(String value, String code, String reason) {
    short expected = (short) Integer.decode(code).intValue();
    float input = Float.parseFloat(value);
    assertThat(Bf16.encode(input)).as(reason).isEqualTo(expected);
    assertThat(Bf16.round(input)).as(reason).isEqualTo(Float.valueOf(Bf16.decode(expected)));
  }

  @Test
  void constantsAreTheValuesOfTheirCodes() {
    assertThat(Bf16.decode((short) 0x7F7F)).isEqualTo(Bf16.MAX_VALUE);
    assertThat(Bf16.decode((short) 0x0080)).isEqualTo(Bf16.MIN_NORMAL);
    assertThat(Bf16.decode((short) 0x0001)).isEqualTo(Bf16.MIN_VALUE);
    short afterOne = (short) (Bf16.encode(1f) + 1);
    assertThat(Bf16.decode(afterOne) - 1f).isEqualTo(Bf16.EPSILON);
  }

  @Test
  void classifiesEveryCode() {
    int nan = 0;
    int infinite = 0;
    int finite = 0;
    for (int pattern = 0; pattern < 1 << 16; pattern++) {
      short code = (short) pattern;
      float value = Bf16.decode(code);
      if (Bf16.isNaN(code) != Float.isNaN(value)
          || Bf16.isInfinite(code) != Float.isInfinite(value)
          || Bf16.isFinite(code) != Float.isFinite(value)) {
        fail("0x%04X is %a", pattern, value);
      }
      nan += Bf16.isNaN(code) ? 1 : 0;
      infinite += Bf16.isInfinite(code) ? 1 : 0;
      finite += Bf16.isFinite(code) ? 1 : 0;
    }
    assertThat(nan).isEqualTo(254);
    assertThat(infinite).isEqualTo(2);
    assertThat(finite).isEqualTo(65280);
  }

  @Test
  void nanKeepsSignAndPayloadTopAndBecomesQuiet() {
    int visited = 0;
    for (int top = 0; top < 1 << 7; top++) {
      for (int rest : new int[] {1, (1 << 16) - 1}) {
        int payload = (top << 16) | rest;
        short positive = Bf16.encode(Float.intBitsToFloat(0x7F80_0000 | payload));
        short negative = Bf16.encode(Float.intBitsToFloat(0xFF80_0000 | payload));
        if (positive != (short) (0x7F80 | 0x40 | top) || negative != (short) (positive | 0x8000)) {
          fail("payload 0x%06X: 0x%04X, 0x%04X", payload, positive, negative);
        }
        visited++;
      }
    }
    assertThat(visited).isEqualTo(2 << 7);
  }

  /** Decoding only moves bits, so even a signalling NaN keeps its own. */
  @Test
  void decodeMovesTheBitsOfEveryCode() {
    int visited = 0;
    for (int pattern = 0; pattern < 1 << 16; pattern++) {
      if (Float.floatToRawIntBits(Bf16.decode((short) pattern)) != pattern << 16) {
        fail("0x%04X", pattern);
      }
      visited++;
    }
    assertThat(visited).isEqualTo(1 << 16);
  }

  @Test
  void everyFloatEncodesToTheNearestValue() {
    FloatFormat format = FloatFormat.BF16;
    long agreeing =
        AllFloats.agreeing(
            format,
            format.roundings().get(0),
            (from, count, code) -> {
              int equal = 0;
              for (int i = 0; i < count; i++) {
                int found = Bf16.encode(Float.intBitsToFloat(from + i)) & 0xFFFF;
                equal += found == code ? 1 : 0;
              }
              return equal;
            });
    assertEquals(1L << 32, agreeing);
  }
}
