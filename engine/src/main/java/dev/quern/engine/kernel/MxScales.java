package dev.quern.engine.kernel;

import dev.quern.engine.numeric.E8M0;
import dev.quern.engine.numeric.FloatType;

/**
 * Scales of the OCP MX formats: a power of two for each group, stored in E8M0.
 *
 * <pre>
 *   a bf16 magnitude   eeeeeeee mmmmmmm      1.mmmmmmm from 1.75 on counts as 2, less as 1:
 *   + 1 &lt;&lt; 5                     01          that is where the sum carries into the exponent
 * </pre>
 *
 * <p>The threshold is half a step below E2M1's next power of two, and the reference uses it for
 * E4M3 elements too.
 *
 * <p>Source: compressed-tensors 0.18, {@code quantization/utils/mxfp_utils.py}, {@code
 * round_to_power_2} and {@code generate_mx_scales}, with the replacement of zero scales in {@code
 * calculate_qparams}.
 */
public final class MxScales {
  /** Exponent of E2M1's largest power of two, 4. */
  public static final int E2M1_MAX_EXPONENT = 2;

  /** Exponent of E4M3's largest power of two, 256. */
  public static final int E4M3_MAX_EXPONENT = 8;

  /** Elements that share a scale. */
  public static final int GROUP_SIZE = 32;

  private static final int ONE = 127; // E8M0 code of 1

  private MxScales() {}

  /**
   * The E8M0 code of the scale for a group whose largest magnitude has these bits.
   *
   * <p>A group of zeros, or of numbers that are subnormal in {@code type}, gets 2^-127. That is no
   * F16, where the reference takes 1 instead.
   *
   * @param maxExponent exponent of the element format's largest power of two
   */
  public static byte code(FloatType type, int absMaxBits, int maxExponent) {
    int mantissaBits = Integer.numberOfTrailingZeros(type.infinityBits());
    int exponent = absMaxBits + (1 << (mantissaBits - 2)) >>> mantissaBits;
    int bias = type == FloatType.F16 ? 15 : 127;
    int code = exponent == 0 ? 0 : Math.max(0, exponent - bias + 127 - maxExponent);
    boolean representable = type.round(E8M0.decode((byte) code)) != 0;
    return (byte) (representable ? code : ONE);
  }
}
