package dev.quern.engine.numeric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Fp16Test extends FloatFormatContract {
  Fp16Test() {
    super(FloatFormat.FP16);
  }

  @ParameterizedTest(name = "{0} -> {1}: {2}")
  @CsvSource({
    "0x0p0,         0x0000, zero",
    "-0x0p0,        0x8000, negative zero keeps its sign",
    "0x1p0,         0x3C00, one: exponent field 15 is the bias",
    "0x1.002p0,     0x3C00, tie: the kept part is even so down",
    "0x1.002002p0,  0x3C01, one float above that tie: up",
    "0x1.006p0,     0x3C02, tie: the kept part is odd so up",
    "0x1.FFEp0,     0x4000, tie whose carry reaches the exponent",
    "3.1415927,     0x4248, 1.5708 * 2: 584.5 of 1024ths and a little less round to 584",
    "-0.1,          0xAE66, 1.6 * 2^-4: 614.4 of 1024ths round to 614",
    "0x1p-14,       0x0400, smallest normal",
    "0x1.FF8p-15,   0x03FF, largest subnormal: 1023 * 2^-24 needs ten bits and has them",
    "0x1.FFCp-15,   0x0400, tie between the largest subnormal and the smallest normal: even",
    "0x1p-24,       0x0001, smallest subnormal",
    "0x1p-25,       0x0000, half of it: tie with zero and zero is even",
    "0x1.000002p-25, 0x0001, one float above that tie",
    "65504,         0x7BFF, largest",
    "0x1.FFDFFEp15, 0x7BFF, one float below the rounding limit",
    "65520,         0x7C00, tie with 65536: infinity has the even code",
    "-65520,        0xFC00, the same with a sign",
    "-Infinity,     0xFC00, infinity stays",
    "NaN,           0x7E00, Java's NaN",
  })
  void golden(String value, String code, String reason) {
    short expected = (short) Integer.decode(code).intValue();
    float input = Float.parseFloat(value);
    assertThat(Fp16.encode(input)).as(reason).isEqualTo(expected);
    assertThat(Fp16.round(input)).as(reason).isEqualTo(Float.valueOf(Fp16.decode(expected)));
  }

  @Test
  void constantsAreTheValuesOfTheirCodes() {
    assertThat(Fp16.decode((short) 0x7BFF)).isEqualTo(Fp16.MAX_VALUE);
    assertThat(Fp16.decode((short) 0x0400)).isEqualTo(Fp16.MIN_NORMAL);
    assertThat(Fp16.decode((short) 0x0001)).isEqualTo(Fp16.MIN_VALUE);
    short afterOne = (short) (Fp16.encode(1f) + 1);
    assertThat(Fp16.decode(afterOne) - 1f).isEqualTo(Fp16.EPSILON);
  }

  @Test
  void classifiesEveryCode() {
    int nan = 0;
    int infinite = 0;
    int finite = 0;
    for (int pattern = 0; pattern < 1 << 16; pattern++) {
      short code = (short) pattern;
      float value = Fp16.decode(code);
      if (Fp16.isNaN(code) != Float.isNaN(value)
          || Fp16.isInfinite(code) != Float.isInfinite(value)
          || Fp16.isFinite(code) != Float.isFinite(value)) {
        fail("0x%04X is %a", pattern, value);
      }
      nan += Fp16.isNaN(code) ? 1 : 0;
      infinite += Fp16.isInfinite(code) ? 1 : 0;
      finite += Fp16.isFinite(code) ? 1 : 0;
    }
    assertThat(nan).isEqualTo(2046);
    assertThat(infinite).isEqualTo(2);
    assertThat(finite).isEqualTo(63488);
  }

  @Test
  void nanKeepsSignAndPayloadTopAndBecomesQuiet() {
    int visited = 0;
    for (int top = 0; top < 1 << 10; top++) {
      for (int rest : new int[] {1, (1 << 13) - 1}) {
        int payload = (top << 13) | rest;
        short positive = Fp16.encode(Float.intBitsToFloat(0x7F80_0000 | payload));
        short negative = Fp16.encode(Float.intBitsToFloat(0xFF80_0000 | payload));
        if (positive != (short) (0x7C00 | 0x200 | top) || negative != (short) (positive | 0x8000)) {
          fail("payload 0x%06X: 0x%04X, 0x%04X", payload, positive, negative);
        }
        visited++;
      }
    }
    assertThat(visited).isEqualTo(2 << 10);
  }

  @Test
  void decodeKeepsTheSignAndPayloadOfNanAndMakesItQuiet() {
    int visited = 0;
    for (int pattern = 0x7C01; pattern < 0x8000; pattern++) {
      int payload = (pattern & 0x3FF) << 13;
      int expected = 0x7FC0_0000 | payload;
      int positive = Float.floatToRawIntBits(Fp16.decode((short) pattern));
      int negative = Float.floatToRawIntBits(Fp16.decode((short) (pattern | 0x8000)));
      if (positive != expected || negative != (expected | 0x8000_0000)) {
        fail("0x%04X: 0x%08X, 0x%08X", pattern, positive, negative);
      }
      visited++;
    }
    assertThat(visited).isEqualTo(1023);
  }

  @Test
  void everyFloatEncodesToTheNearestValue() {
    FloatFormat format = FloatFormat.FP16;
    long agreeing =
        AllFloats.agreeing(
            format,
            format.roundings().get(0),
            (from, count, code) -> {
              int equal = 0;
              for (int i = 0; i < count; i++) {
                int found = Fp16.encode(Float.intBitsToFloat(from + i)) & 0xFFFF;
                equal += found == code ? 1 : 0;
              }
              return equal;
            });
    assertEquals(1L << 32, agreeing);
  }
}
