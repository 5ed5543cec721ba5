package dev.quern.engine.quantization;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.kernel.IntGroups;
import dev.quern.engine.numeric.FloatType;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Scales and zero points of single ranges, worked out by hand. */
class IntParametersTest {
  @ParameterizedTest(name = "{0}, {1} bits, {2} to {3}: {4}, {5}")
  @CsvSource({
    "F32, 8, -1, 0.5,         0x1.010102p-7, 1 / 127.5",
    "BF16, 8, -1, 0.5,        0x1.02p-7, to eight bits: just above a tie",
    "F16, 8, 1, 1,            0x1.01p-7, the same to eleven bits",
    "BF16, 4, -3, 7.5,        1, 7.5 / 7.5",
    "BF16, 3, -3.5, 1,        1, 3.5 / 3.5",
    "BF16, 2, 0, 3,           2, 3 / 1.5",
    "BF16, 4, 0, 0,           0x1p-7, zero gives epsilon",
    "F16, 4, -0, 0,           0x1p-10, zero gives epsilon",
    "F32, 4, 0, 0,            0x1p-23, zero gives epsilon",
    "F16, 8, -0x1p-20, 0,     0x1p-10, rounds to zero and gives epsilon too",
    "BF16, 8, -2, -1,         0x1.02p-6, zero is part of the range: 2 / 127.5 = 0x1.0101p-6",
  })
  void symmetricScales(FloatType type, int bits, float min, float max, float scale, String why) {
    assertThat(IntParameters.symmetricScale(type, bits, min, max)).as(why).isEqualTo(scale);
  }

  @ParameterizedTest(name = "{0}, {1} bits, {2} to {3}: {4} and {5}, {6}")
  @CsvSource({
    "F32, 4, -8, 7,        1, 0, the codes themselves",
    "F32, 4, 0, 15,        1, -8, all positive: zero is the lowest code",
    "F32, 4, 5, 15,        1, -8, zero is part of the range",
    "F32, 4, -15, 0,       1, 7, all negative: zero is the highest code",
    "F32, 8, -100, 155,    1, -28, 255 steps",
    "BF16, 4, 0, 0,        0x1p-7, 0, nothing but zeros: 0 / 0",
    "F16, 4, -0x1p-24, 0,  0x1p-10, 7, a scale that rounds to zero: minus infinity is clamped",
    "F16, 4, 0, 0x1p-24,   0x1p-10, 0, 0 / 0 again",
    "F16, 4, -60000, 60000, 8000, 0, where the difference is beyond f16",
    "BF16, 4, -0x1.FEp127, 0x1.FEp127, 0x1.1p125, 0, where it is beyond binary32",
  })
  void asymmetricScales(
      FloatType type, int bits, float min, float max, float scale, int zero, String why) {
    assertThat(IntParameters.asymmetricScale(type, bits, min, max)).as(why).isEqualTo(scale);
    assertThat(IntParameters.zeroPoint(type, bits, min, max)).as(why).isEqualTo(zero);
  }

  /** Every finite range has a positive finite scale, and a zero point among the codes. */
  @ParameterizedTest
  @EnumSource
  void noRangeGivesGarbage(FloatType type) {
    SplittableRandom random = new SplittableRandom(47);
    int ranges = 0;
    for (int i = 0; i < 400_000; i++) {
      float a = type.decode(random.nextInt());
      float b = type.decode(random.nextInt());
      if (!Float.isFinite(a) || !Float.isFinite(b)) {
        continue;
      }
      int bits = random.nextInt(2, 9);
      float[] min = {Math.min(a, b)};
      float[] max = {Math.max(a, b)};
      IntGroups symmetric = IntGroups.symmetric(bits, 8, 1);
      IntGroups asymmetric = IntGroups.asymmetric(bits, 8, 1);
      IntParameters.set(type, min, max, symmetric);
      IntParameters.set(type, min, max, asymmetric);
      assertThat(symmetric.scales()[0]).isPositive().isFinite();
      assertThat(asymmetric.scales()[0]).isPositive().isFinite();
      assertThat(asymmetric.zeroPoints()[0])
          .isBetween((float) IntGroups.lowest(bits), (float) IntGroups.highest(bits))
          .isEqualTo(IntParameters.zeroPoint(type, bits, min[0], max[0]));
      ranges++;
    }
    assertThat(ranges).isGreaterThan(300_000);
  }
}
