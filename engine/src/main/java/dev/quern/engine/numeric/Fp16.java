package dev.quern.engine.numeric;

/**
 * IEEE 754 binary16, "half precision", rounded half to even. This class is the law.
 *
 * <p>Numbers and infinities go through {@link Float#floatToFloat16} and {@link
 * Float#float16ToFloat}, which are specified to the bit and are one instruction on most CPUs. NaN
 * does not: the JDK leaves its payload open, its Java code and the instruction that replaces it
 * disagree there, and a file must not depend on which of the two ran. So NaN is defined here, the
 * way x86 (F16C) does it.
 *
 * <p>Sources: IEEE 754-2019 (binary16, roundTiesToEven); the format's page is {@code
 * docs/formats/fp16.md}.
 */
public final class Fp16 {
  /** The largest finite value, 2^15 * (2 - 2^-10) = 65504. */
  public static final float MAX_VALUE = 0x1.FFCp15f;

  /** The smallest positive normal value, 2^-14. */
  public static final float MIN_NORMAL = 0x1p-14f;

  /** The smallest positive value, 2^-24. */
  public static final float MIN_VALUE = 0x1p-24f;

  /** The distance from 1 to the next larger value, 2^-10. */
  public static final float EPSILON = 0x1p-10f;

  private static final int SIGN = 0x8000;
  private static final int MAGNITUDE = 0x7FFF;
  private static final int INFINITY = 0x7C00;
  private static final int QUIET = 0x0200;
  private static final int PAYLOAD = 0x03FF;

  private Fp16() {}

  /**
   * The code nearest to {@code value}, ties to even; what rounds past {@link #MAX_VALUE} (from
   * 65520 on) is infinity.
   *
   * <p>A NaN keeps its sign and the top ten bits of its payload, and becomes quiet.
   */
  public static short encode(float value) {
    if (Float.isNaN(value)) {
      //  31  30....23  22......13  12.......0
      //   s  11111111  payload      discarded
      int bits = Float.floatToRawIntBits(value);
      return (short) (((bits >>> 16) & SIGN) | INFINITY | QUIET | ((bits >>> 13) & PAYLOAD));
    }
    return Float.floatToFloat16(value);
  }

  /** The value of {@code code}, exactly; a NaN keeps its sign and payload, and becomes quiet. */
  public static float decode(short code) {
    if (isNaN(code)) {
      int payload = (code & PAYLOAD) | QUIET;
      return Float.intBitsToFloat(((code & SIGN) << 16) | 0x7F80_0000 | (payload << 13));
    }
    return Float.float16ToFloat(code);
  }

  /** {@code value} rounded to the nearest binary16: {@code decode(encode(value))}. */
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
