package dev.quern.engine.quantization;

import dev.quern.engine.kernel.IntGroups;
import dev.quern.engine.numeric.FloatType;

/**
 * Scales and zero points of integers, from the range of the values that share them. Every operation
 * is computed in binary32 and rounded to the type of the weights before the next one.
 *
 * <p>Source: compressed-tensors 0.18, {@code calculate_qparams}, as run on CPU.
 */
public final class IntParameters {
  private IntParameters() {}

  /**
   * The scale of symmetric integers: {@code R(a / ((2^bits - 1) / 2))}, where {@code a} is the
   * largest magnitude; an exact zero is replaced by the type's epsilon. The divisors are 127.5 for
   * 8 bits, 7.5 for 4, 1.5 for 2.
   *
   * @param min smallest value, finite
   * @param max largest value, finite
   */
  public static float symmetricScale(FloatType type, int bits, float min, float max) {
    float largest = Math.max(Math.abs(Math.min(min, 0)), Math.abs(Math.max(max, 0)));
    return positive(type, type.round(largest / (steps(bits) / 2f)));
  }

  /**
   * The scale of asymmetric integers: {@code R(R(max - min) / (2^bits - 1))} with zero in the
   * range; an exact zero is replaced by the type's epsilon.
   *
   * <p>Where {@code R(max - min)} would be infinite, the difference of the quotients is taken,
   * which is finite.
   */
  public static float asymmetricScale(FloatType type, int bits, float min, float max) {
    return positive(type, exactAsymmetricScale(type, bits, min, max));
  }

  /**
   * The zero point of asymmetric integers: {@code rint(clamp(R(lowest - R(min / scale)), lowest,
   * highest))} with the scale as it was before epsilon replaced it; 0 where that is NaN, which is
   * where all values are zero.
   */
  public static int zeroPoint(FloatType type, int bits, float min, float max) {
    return nearest(type, bits, min, exactAsymmetricScale(type, bits, min, max));
  }

  private static int nearest(FloatType type, int bits, float min, float exactScale) {
    float quotient = type.round(Math.min(min, 0) / exactScale);
    int lowest = IntGroups.lowest(bits);
    float exact = type.round(lowest - quotient);
    return (int) Math.rint(Math.clamp(exact, lowest, IntGroups.highest(bits)));
  }

  /** Sets the scales and zero points of a row of groups from their ranges. */
  public static void set(FloatType type, float[] min, float[] max, IntGroups groups) {
    int bits = groups.bits();
    float[] scales = groups.scales();
    if (groups.isSymmetric()) {
      for (int g = 0; g < scales.length; g++) {
        scales[g] = symmetricScale(type, bits, min[g], max[g]);
      }
      return;
    }
    float[] zeroPoints = groups.zeroPoints();
    for (int g = 0; g < scales.length; g++) {
      float exact = exactAsymmetricScale(type, bits, min[g], max[g]);
      scales[g] = positive(type, exact);
      zeroPoints[g] = nearest(type, bits, min[g], exact);
    }
  }

  private static float exactAsymmetricScale(FloatType type, int bits, float min, float max) {
    float low = Math.min(min, 0);
    float high = Math.max(max, 0);
    float range = type.round(high - low);
    return Float.isInfinite(range)
        ? type.round(high / steps(bits) - low / steps(bits))
        : type.round(range / steps(bits));
  }

  private static float positive(FloatType type, float scale) {
    return scale == 0 ? type.epsilon() : scale;
  }

  private static int steps(int bits) {
    return (1 << bits) - 1;
  }
}
