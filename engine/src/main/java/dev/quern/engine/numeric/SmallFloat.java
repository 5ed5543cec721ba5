package dev.quern.engine.numeric;

/**
 * What the 8-bit formats share: rounding a float's magnitude to a few mantissa bits, and back.
 *
 * <p>A magnitude code is the format's byte without its sign: exponent field above, mantissa field
 * below. Read as an integer it numbers the format's non-negative values in ascending order, and
 * that is all the cleverness here: adding one steps to the next value, across exponents and out of
 * the subnormals.
 *
 * <p>The format's width comes in as arguments that every caller passes as constants, so the JIT
 * folds them away.
 */
final class SmallFloat {
  static final int SIGN = 0x80;
  static final int MAGNITUDE = 0x7F;

  private static final int FLOAT_MAGNITUDE = 0x7FFF_FFFF;
  private static final int FLOAT_BIAS = 127;
  private static final int FLOAT_MANTISSA_BITS = 23;
  private static final int FLOAT_IMPLICIT_ONE = 1 << FLOAT_MANTISSA_BITS;

  private SmallFloat() {}

  /** The sign of {@code value}, moved to the top bit of a byte; it works for NaN too. */
  static int sign(float value) {
    return (Float.floatToRawIntBits(value) >>> 24) & SIGN;
  }

  /**
   * The magnitude code nearest to {@code |value|}, ties to the even code.
   *
   * <pre>
   *   31 30....23 22..................0
   *    s exponent mantissa               the float; below, its significand:
   *
   *              1 mmm...m mmm.........m  24 bits, leading one made explicit
   *              |- kept -|- shifted out, rounds half to even
   * </pre>
   *
   * <p>The result has no ceiling: it goes on counting as if the exponent field had more bits, so a
   * value past the format's largest gives a code past the largest code, and infinity and NaN one
   * far past it. The caller compares and decides.
   */
  static int encodeMagnitude(float value, int mantissaBits, int bias) {
    int bits = Float.floatToRawIntBits(value) & FLOAT_MAGNITUDE;
    int significand = (bits & (FLOAT_IMPLICIT_ONE - 1)) | FLOAT_IMPLICIT_ONE;
    int exponent = (bits >>> FLOAT_MANTISSA_BITS) - FLOAT_BIAS + bias;

    // Subnormals all have the spacing of exponent field 1: each missing exponent step is one more
    // shift.
    int spacing = Math.max(exponent, 1);
    int shift = FLOAT_MANTISSA_BITS - mantissaBits + (spacing - exponent);

    // The kept part still has its leading one, worth one exponent step; hence spacing - 1. A
    // subnormal
    // has kept less than that, and so falls into exponent field 0 by itself.
    return ((spacing - 1) << mantissaBits) + shiftHalfToEven(significand, shift);
  }

  /** {@code significand / 2^shift}, rounded half to even. */
  private static int shiftHalfToEven(int significand, int shift) {
    // A significand has 24 bits: 25 places already leave less than a half, and Java would wrap 32.
    int places = Math.min(shift, 25);
    int odd = (significand >>> places) & 1;
    int almostHalf = (1 << (places - 1)) - 1;
    return (significand + almostHalf + odd) >>> places;
  }

  /** The value of a magnitude code that is neither infinity nor NaN, exactly. */
  static float decodeMagnitude(int magnitude, int mantissaBits, int bias) {
    if (magnitude >>> mantissaBits == 0) { // subnormal: a multiple of the smallest value
      return magnitude * powerOfTwo(1 - bias - mantissaBits);
    }
    int aligned = magnitude << (FLOAT_MANTISSA_BITS - mantissaBits);
    return Float.intBitsToFloat(aligned + ((FLOAT_BIAS - bias) << FLOAT_MANTISSA_BITS));
  }

  /**
   * {@code magnitude} with the sign of {@code code}; {@code magnitude} is not negative, but may be
   * NaN.
   */
  static float withSign(float magnitude, byte code) {
    return Float.intBitsToFloat(Float.floatToRawIntBits(magnitude) | ((code & SIGN) << 24));
  }

  private static float powerOfTwo(int exponent) {
    return Float.intBitsToFloat((exponent + FLOAT_BIAS) << FLOAT_MANTISSA_BITS);
  }
}
