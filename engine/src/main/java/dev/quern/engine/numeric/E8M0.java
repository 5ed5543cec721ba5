package dev.quern.engine.numeric;

/**
 * E8M0 ({@code float8_e8m0fnu}): a power of two in a byte, the scale of the OCP MX formats. This
 * class is the law.
 *
 * <pre>
 *   7......0
 *   exponent    value 2^(code - 127); 0xFF is NaN; no sign, no zero, no infinity
 * </pre>
 *
 * <p>The code is a float's exponent field, and so encoding is a shift of the float's bits; the ways
 * to round differ in what is added first. The one place where this needs care is code 0, 2^-127,
 * which is a subnormal float.
 *
 * <p>All three rounding encodes ignore the sign (the format has none; torch does the same), give
 * code 0 for everything up to 2^-127 and for zero, and give NaN for infinity and NaN. Which of them
 * a scale needs is the quantization scheme's business, as is the offset by the element's largest
 * exponent.
 *
 * <p>Sources: OCP Microscaling Formats (MX) Specification, version 1.0; torch's cast to {@code
 * float8_e8m0fnu}, as found. The format's page is {@code docs/formats/e8m0.md}.
 */
public final class E8M0 {
  /** The largest value, 2^127, code 0xFE. */
  public static final float MAX_VALUE = 0x1p127f;

  /** The smallest value, 2^-127, code 0x00. */
  public static final float MIN_VALUE = 0x1p-127f;

  private static final byte NAN_CODE = (byte) 0xFF;
  private static final int NAN_FIELD = 0xFF;
  private static final int FLOAT_MAGNITUDE = 0x7FFF_FFFF;
  private static final int FLOAT_MANTISSA_BITS = 23;
  private static final int MIN_VALUE_BITS = 0x0040_0000;

  private E8M0() {}

  /**
   * The code of {@code value}, which must be a power of two from 2^-127 to 2^127, or NaN: the
   * inverse of {@link #decode}.
   *
   * @throws IllegalArgumentException when {@code value} is anything else
   */
  public static byte encode(float value) {
    byte code = encodeDown(value);
    if (decode(code) != value && !Float.isNaN(value)) {
      throw new IllegalArgumentException(
          "E8M0.encode: expected a power of two from 2^-127 to 2^127 or NaN, found "
              + value
              + "; to round it, call encodeDown, encodeUp or encodeNearest");
    }
    return code;
  }

  /**
   * The code of the largest power of two that is not above {@code |value|}: floor(log2). This is
   * the rounding by which the OCP MX specification converts to MX formats.
   */
  public static byte encodeDown(float value) {
    return (byte) (magnitude(value) >>> FLOAT_MANTISSA_BITS);
  }

  /**
   * The code of the smallest power of two that is not below {@code |value|}: ceil(log2), so that
   * {@code |value|} over its scale is at most 1. Above 2^127 there is none: NaN.
   */
  public static byte encodeUp(float value) {
    return roundUpFrom(1, value);
  }

  /**
   * The code that torch's cast to {@code float8_e8m0fnu} gives: up from a significand of 1.5 on,
   * else down, and from 1.5 * 2^127 on NaN.
   *
   * <p>torch rounds the significand to its leading bit, half to even. That bit is a one, which is
   * odd, so a tie always goes up. In a subnormal float it is a zero: all between 2^-127 and 2^-126
   * goes up.
   */
  public static byte encodeNearest(float value) {
    return roundUpFrom(0x40_0000, value);
  }

  /** Rounds up from a mantissa field of {@code threshold} on, else down. */
  private static byte roundUpFrom(int threshold, float value) {
    //  31  30....23  22......0
    //   s  exponent  mantissa      a mantissa of threshold or more carries into the exponent
    int bits = magnitude(value);
    if (bits <= MIN_VALUE_BITS) {
      return 0;
    }
    int carry = (1 << FLOAT_MANTISSA_BITS) - threshold;
    return (byte) Math.min((bits + carry) >>> FLOAT_MANTISSA_BITS, NAN_FIELD);
  }

  /** The value of {@code code}, exactly; 0xFF gives a positive quiet NaN. */
  public static float decode(byte code) {
    if (code == NAN_CODE) {
      return Float.NaN;
    }
    return code == 0 ? MIN_VALUE : Float.intBitsToFloat((code & 0xFF) << FLOAT_MANTISSA_BITS);
  }

  /** Whether {@code code} is 0xFF, the one NaN. */
  public static boolean isNaN(byte code) {
    return code == NAN_CODE;
  }

  private static int magnitude(float value) {
    return Float.floatToRawIntBits(value) & FLOAT_MAGNITUDE;
  }
}
