package dev.quern.pipeline;

import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp8E4M3;

/**
 * How far an E4M3 code times its scale may be from the weight, when quotient and product are each
 * rounded to the weight's type.
 */
final class E4M3Bounds {
  private E4M3Bounds() {}

  /** Half a step of E4M3, with the quotient and the product each rounded to the weight's type. */
  static float relative(FloatType type) {
    double u = type.epsilon() / 2;
    return (float) ((1 + 0x1p-4) * (1 + u) * (1 + u) * (1 + 0x1p-20) - 1);
  }

  /**
   * Half a step of the subnormal codes; what a scale that was rounded down cuts off; half a step of
   * the type's own subnormals.
   */
  static double absolute(FloatType type, double scale, float absMax) {
    double clipped = Math.max(0, absMax - Fp8E4M3.MAX_VALUE * scale);
    return scale * 0x1p-10 * (1 + type.epsilon()) + clipped + type.decode(1);
  }
}
