package dev.quern.engine.numeric;

/**
 * bfloat16: the upper half of an IEEE 754 binary32, rounded half to even. This class is the law.
 *
 * <p>Sources: IEEE 754-2019 (binary32, roundTiesToEven); the format's page is {@code
 * docs/formats/bf16.md}.
 */
public final class Bf16 {
  /** The largest finite value, 2^127 * (2 - 2^-7), about 3.39e38. */
  public static final float MAX_VALUE = 0x1.FEp127f;

  /** The smallest positive normal value, 2^-126, the same as a float's. */
  public static final float MIN_NORMAL = 0x1p-126f;

  /** The smallest positive value, 2^-133. */
  public static final float MIN_VALUE = 0x1p-133f;

  /** The distance from 1 to the next larger value, 2^-7. */
  public static final float EPSILON = 0x1p-7f;

  private static final int MAGNITUDE = 0x7FFF;
  private static final int INFINITY = 0x7F80;
  private static final int QUIET = 0x0040;

  private Bf16() {}

  /**
   * The code nearest to {@code value}, ties to even; what rounds past {@link #MAX_VALUE} is
   * infinity.
   *
   * <p>A NaN keeps its sign and the top of its payload, and becomes quiet. (torch writes one fixed
   * NaN instead, and which one depends on the code path that it took.)
   */
  public static short encode(float value) {
    //  31  30....23  22....16  15.........0
    //   s  exponent  mantissa   discarded
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) { // rounding could carry a NaN's payload into infinity or the sign
      return (short) ((bits >>> 16) | QUIET);
    }
    int odd = (bits >>> 16) & 1;
    return (short) ((bits + 0x7FFF + odd) >>> 16);
  }

  /**
   * The value of {@code code}, exactly; a NaN keeps all its bits, and a signalling one its signal.
   */
  public static float decode(short code) {
    return Float.intBitsToFloat(code << 16);
  }

  /** {@code value} rounded to the nearest bfloat16: {@code decode(encode(value))}. */
  public static float round(float value) {
    return decode(encode(value));
  }

  /** Whether {@code code} is a NaN of either sign. */
  public static boolean isNaN(short code) {
    return (code & MAGNITUDE) > INFINITY;
  }

  /** Whether {@code code} is plus or minus infinity. */
  public static boolean isInfinite(short code) {
    return (code & MAGNITUDE) == INFINITY;
  }

  /** Whether {@code code} is a number: neither infinite nor NaN. */
  public static boolean isFinite(short code) {
    return (code & MAGNITUDE) < INFINITY;
  }
}
