package dev.quern.engine.numeric;

/**
 * FP8 E4M3 as OCP defines it ({@code float8_e4m3fn}: finite, NaN, no infinities). This class is the
 * law.
 *
 * <pre>
 *   7  6..3  2..0
 *   s  expo  man    bias 7;  s.1111.111 is NaN, everything else is a number
 * </pre>
 *
 * <p>Source: OCP 8-bit Floating Point Specification (OFP8), revision 1.0; the format's page is
 * {@code docs/formats/fp8-e4m3.md}.
 */
public final class Fp8E4M3 {
  /** The largest finite value, 448 = 2^8 * 1.75, code 0x7E. */
  public static final float MAX_VALUE = 448f;

  /** The smallest positive normal value, 2^-6, code 0x08. */
  public static final float MIN_NORMAL = 0x1p-6f;

  /** The smallest positive value, 2^-9, code 0x01. */
  public static final float MIN_VALUE = 0x1p-9f;

  /** The distance from 1 to the next larger value, 2^-3. */
  public static final float EPSILON = 0x1p-3f;

  private static final int MANTISSA_BITS = 3;
  private static final int BIAS = 7;
  private static final int MAX_CODE = 0x7E;
  private static final int NAN_CODE = 0x7F;

  private Fp8E4M3() {}

  /**
   * The code nearest to {@code value}, ties to even, <b>saturating</b>: whatever lies beyond +-448,
   * infinity included, becomes +-448. NaN becomes 0x7F or, with its sign bit set, 0xFF.
   */
  public static byte encode(float value) {
    int rounded = SmallFloat.encodeMagnitude(value, MANTISSA_BITS, BIAS);
    int magnitude = Float.isNaN(value) ? NAN_CODE : Math.min(rounded, MAX_CODE);
    return (byte) (SmallFloat.sign(value) | magnitude);
  }

  /**
   * The code nearest to {@code value}, ties to even, <b>not saturating</b>: what would round to
   * more than 448 if the exponents went on, so a magnitude above 464, and infinity become NaN of
   * their sign. 464 itself is a tie between 448 and 480; 448 is the even one.
   */
  public static byte encodeNonSaturating(float value) {
    int rounded = SmallFloat.encodeMagnitude(value, MANTISSA_BITS, BIAS);
    return (byte) (SmallFloat.sign(value) | Math.min(rounded, NAN_CODE));
  }

  /**
   * The value of {@code code}, exactly; both NaN codes give a quiet NaN without payload, of their
   * sign.
   */
  public static float decode(byte code) {
    float magnitude =
        isNaN(code)
            ? Float.NaN
            : SmallFloat.decodeMagnitude(code & SmallFloat.MAGNITUDE, MANTISSA_BITS, BIAS);
    return SmallFloat.withSign(magnitude, code);
  }

  /** Whether {@code code} is one of the two NaN codes, 0x7F and 0xFF. */
  public static boolean isNaN(byte code) {
    return (code & SmallFloat.MAGNITUDE) == NAN_CODE;
  }

  /** Whether {@code code} is a number; the format has no infinities. */
  public static boolean isFinite(byte code) {
    return !isNaN(code);
  }
}
