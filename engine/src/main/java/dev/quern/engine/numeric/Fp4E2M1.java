package dev.quern.engine.numeric;

/**
 * FP4 E2M1: the four-bit element of MXFP4 and NVFP4. This class is the law.
 *
 * <pre>
 *   3  2..1  0
 *   s  expo  m     bias 1; no infinities, no NaN
 *
 *   code        0    1    2    3    4    5    6    7
 *   value       0   .5    1  1.5    2    3    4    6
 * </pre>
 *
 * <p>Sources: OCP Microscaling Formats (MX) Specification, version 1.0; compressed-tensors 0.18,
 * {@code cast_to_fp4} for signs of zero. The format's page is {@code docs/formats/fp4-e2m1.md}.
 */
public final class Fp4E2M1 {
  /** The largest value, code 0x7. */
  public static final float MAX_VALUE = 6f;

  /** The smallest positive normal value, code 0x2. */
  public static final float MIN_NORMAL = 1f;

  /** The smallest positive value, code 0x1. */
  public static final float MIN_VALUE = 0.5f;

  private static final int MANTISSA_BITS = 1;
  private static final int BIAS = 1;
  private static final int MAX_CODE = 7;
  private static final int SIGN = 8;

  private Fp4E2M1() {}

  /**
   * The code nearest to {@code value}, ties to even, <b>saturating</b>: whatever lies beyond +-6
   * becomes +-6, infinity and (for want of a better code) NaN included.
   *
   * <p>A negative value that rounds to zero becomes code 0x8, negative zero. Zero itself becomes
   * 0x0, whatever its sign.
   *
   * @return 0 to 15
   */
  public static int encode(float value) {
    if (value == 0) {
      return 0;
    }
    int rounded = SmallFloat.encodeMagnitude(value, MANTISSA_BITS, BIAS);
    return SmallFloat.sign(value) >>> 4 | Math.min(rounded, MAX_CODE);
  }

  /** The value of a code, exactly; only the lower four bits count. */
  public static float decode(int code) {
    float magnitude = SmallFloat.decodeMagnitude(code & MAX_CODE, MANTISSA_BITS, BIAS);
    return Float.intBitsToFloat(Float.floatToRawIntBits(magnitude) | (code & SIGN) << 28);
  }
}
