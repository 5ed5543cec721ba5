package dev.quern.engine.numeric;

/**
 * FP8 E5M2 as OCP defines it ({@code float8_e5m2}): the upper byte of a binary16. This class is the
 * law.
 *
 * <pre>
 *   7  6...2  1..0
 *   s  expon  man    bias 15;  s.11111.00 is infinity, s.11111.01 to s.11111.11 are NaN
 * </pre>
 *
 * <p>Source: OCP 8-bit Floating Point Specification (OFP8), revision 1.0; the format's page is
 * {@code docs/formats/fp8-e5m2.md}.
 */
public final class Fp8E5M2 {
  /** The largest finite value, 57344 = 2^15 * 1.75, code 0x7B. */
  public static final float MAX_VALUE = 57344f;

  /** The smallest positive normal value, 2^-14, code 0x04. */
  public static final float MIN_NORMAL = 0x1p-14f;

  /** The smallest positive value, 2^-16, code 0x01. */
  public static final float MIN_VALUE = 0x1p-16f;

  /** The distance from 1 to the next larger value, 2^-2. */
  public static final float EPSILON = 0x1p-2f;

  private static final int MANTISSA_BITS = 2;
  private static final int BIAS = 15;
  private static final int MAX_CODE = 0x7B;
  private static final int INFINITY_CODE = 0x7C;
  private static final int NAN_CODE = 0x7F;

  private Fp8E5M2() {}

  /**
   * The code nearest to {@code value}, ties to even, <b>saturating</b>: whatever lies beyond
   * +-57344 becomes +-57344, and so does infinity, although the format has one. NaN becomes 0x7F
   * or, with its sign bit set, 0xFF.
   */
  public static byte encode(float value) {
    return encode(value, MAX_CODE);
  }

  /**
   * The code nearest to {@code value}, ties to even, <b>not saturating</b>: what would round to
   * more than 57344 if the exponents went on, so a magnitude from 61440 on, and infinity become
   * infinity of their sign. 61440 itself is a tie between 57344 and 65536; infinity, 0x7C, is the
   * even one.
   */
  public static byte encodeNonSaturating(float value) {
    return encode(value, INFINITY_CODE);
  }

  private static byte encode(float value, int ceiling) {
    int rounded = SmallFloat.encodeMagnitude(value, MANTISSA_BITS, BIAS);
    int magnitude = Float.isNaN(value) ? NAN_CODE : Math.min(rounded, ceiling);
    return (byte) (SmallFloat.sign(value) | magnitude);
  }

  /**
   * The value of {@code code}, exactly; all NaN codes give a quiet NaN without payload, of their
   * sign.
   */
  public static float decode(byte code) {
    float magnitude;
    if (isNaN(code)) {
      magnitude = Float.NaN;
    } else if (isInfinite(code)) {
      magnitude = Float.POSITIVE_INFINITY;
    } else {
      magnitude = SmallFloat.decodeMagnitude(code & SmallFloat.MAGNITUDE, MANTISSA_BITS, BIAS);
    }
    return SmallFloat.withSign(magnitude, code);
  }

  /** Whether {@code code} is one of the six NaN codes, 0x7D to 0x7F and 0xFD to 0xFF. */
  public static boolean isNaN(byte code) {
    return (code & SmallFloat.MAGNITUDE) > INFINITY_CODE;
  }

  /** Whether {@code code} is plus or minus infinity, 0x7C or 0xFC. */
  public static boolean isInfinite(byte code) {
    return (code & SmallFloat.MAGNITUDE) == INFINITY_CODE;
  }

  /** Whether {@code code} is a number: neither infinite nor NaN. */
  public static boolean isFinite(byte code) {
    return (code & SmallFloat.MAGNITUDE) < INFINITY_CODE;
  }
}
