package dev.quern.pipeline;

import dev.quern.engine.numeric.FloatType;

/**
 * How far an E2M1 code times its scale may be from the weight.
 *
 * <p>In units of the scale, rounding is off by at most 1/4 below 2, 1/2 below 4, 1 below 7: never
 * by more than 0.2 of the magnitude plus 0.2.
 *
 * <pre>
 *   magnitude      0.25   0.75   1.25   1.75   2.5   3.5   5    7
 *   error          0.25   0.25   0.25   0.25   0.5   0.5   1    1
 *   0.2 (1 + m)    0.25   0.35   0.45   0.55   0.7   0.9   1.2  1.6
 * </pre>
 *
 * <p>The last column is the largest quotient that a scale from the group's maximum leaves. The
 * result is rounded once more to the weight's type.
 */
final class E2M1Bounds {
  private static final double SHARE = 0.2;
  private static final double OWN_ARITHMETIC = 1 + 0x1p-20;

  private E2M1Bounds() {}

  static float relative(FloatType type) {
    return (float) ((1 + SHARE) * (1 + type.epsilon() / 2) * OWN_ARITHMETIC - 1);
  }

  /**
   * @param scale the largest of the row's scales
   */
  static double absolute(FloatType type, double scale) {
    return SHARE * scale * (1 + type.epsilon()) * OWN_ARITHMETIC + type.decode(1);
  }
}
