package dev.quern.engine.numeric;

/**
 * FP8 E5M2 "fnuz" ({@code float8_e5m2fnuz}: finite, NaN, unsigned zero), the FP8 of AMD's MI300.
 * This class is the law.
 *
 * <pre>
 *   7  6...2  1..0
 *   s  expon  man    bias 16;  0x80, which would be -0, is the one NaN
 * </pre>
 *
 * <p>No infinities and no negative zero; every exponent field holds numbers. The bias is one more
 * than in {@link Fp8E5M2}, so the same code means half as much.
 *
 * <p>Source: Noune et al., "8-bit Numerical Formats for Deep Neural Networks", arXiv 2206.02915;
 * the format's page is {@code docs/formats/fp8-fnuz.md}.
 */
public final class Fp8E5M2Fnuz {
  /** The largest finite value, 57344 = 2^15 * 1.75, code 0x7F. */
  public static final float MAX_VALUE = 57344f;

  /** The smallest positive normal value, 2^-15, code 0x04. */
  public static final float MIN_NORMAL = 0x1p-15f;

  /** The smallest positive value, 2^-17, code 0x01. */
  public static final float MIN_VALUE = 0x1p-17f;

  /** The distance from 1 to the next larger value, 2^-2. */
  public static final float EPSILON = 0x1p-2f;

  private static final int MANTISSA_BITS = 2;
  private static final int BIAS = 16;
  private static final int MAX_CODE = 0x7F;
  private static final byte NAN_CODE = (byte) 0x80;

  private Fp8E5M2Fnuz() {}

  /**
   * The code nearest to {@code value}, ties to even, <b>saturating</b>: whatever lies beyond
   * +-57344, infinity included, becomes +-57344. NaN becomes 0x80, and its sign is lost.
   */
  public static byte encode(float value) {
    if (Float.isNaN(value)) {
      return NAN_CODE;
    }
    int rounded = SmallFloat.encodeMagnitude(value, MANTISSA_BITS, BIAS);
    return withSign(value, Math.min(rounded, MAX_CODE));
  }

  /**
   * The code nearest to {@code value}, ties to even, <b>not saturating</b>: what would round to
   * more than 57344 if the exponents went on, so a magnitude from 61440 on, and infinity become
   * NaN, 0x80. 61440 itself is a tie between 57344 and 65536; 57344 has the odd code.
   */
  public static byte encodeNonSaturating(float value) {
    int rounded = SmallFloat.encodeMagnitude(value, MANTISSA_BITS, BIAS);
    return rounded > MAX_CODE ? NAN_CODE : withSign(value, rounded);
  }

  /** What rounds to zero loses its sign: with it, the code would be NaN. */
  private static byte withSign(float value, int magnitude) {
    return (byte) (magnitude == 0 ? 0 : SmallFloat.sign(value) | magnitude);
  }

  /** The value of {@code code}, exactly; 0x80 gives a positive quiet NaN without payload. */
  public static float decode(byte code) {
    if (isNaN(code)) {
      return Float.NaN;
    }
    int magnitude = code & SmallFloat.MAGNITUDE;
    return SmallFloat.withSign(SmallFloat.decodeMagnitude(magnitude, MANTISSA_BITS, BIAS), code);
  }

  /** Whether {@code code} is 0x80, the one NaN. */
  public static boolean isNaN(byte code) {
    return code == NAN_CODE;
  }

  /** Whether {@code code} is a number; the format has no infinities. */
  public static boolean isFinite(byte code) {
    return code != NAN_CODE;
  }
}
