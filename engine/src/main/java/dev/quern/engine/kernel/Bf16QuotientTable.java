package dev.quern.engine.kernel;

import dev.quern.engine.numeric.Bf16;
import dev.quern.engine.numeric.Fp8E4M3;
import java.util.Arrays;

/**
 * E4M3 codes of bf16 quotients by two table look-ups.
 *
 * <pre>
 *   bf16 magnitude   eeeeeeee mmmmmmm       value 1.mmmmmmm * 2^(eeeeeeee - 127)
 * </pre>
 *
 * <p>The rounded quotient of two normal bf16 numbers depends on their exponents only through their
 * difference, as long as the quotient is normal too. So one table holds the quotients of all 128 x
 * 128 pairs of significands, as offsets of bf16 bit patterns, and a second one the code of each
 * magnitude.
 */
final class Bf16QuotientTable {
  /**
   * Codes by the pattern of the quotient, {@link #BELOW} entries up; patterns may lie beyond bf16's
   * on both sides.
   */
  private static final byte[] CODES = codes();

  // A quotient of significands is at least 1/2, one exponent below; a scale of 2^-100 lifts by 100
  // exponents.
  private static final int BELOW = 128;
  private static final int ABOVE = 100 << 7;

  /** Bits of {@code bf16((1 + x/128) / (1 + s/128))} less those of 1, at {@code s * 128 + x}. */
  private static final short[] QUOTIENTS = quotients();

  private Bf16QuotientTable() {}

  /**
   * Whether {@link #code} may be used: the scale is normal and at most 1, so that no quotient
   * rounds to zero.
   */
  static boolean covers(float scale) {
    return scale >= 0x1p-100f && scale <= 1f;
  }

  /** Where the quotients by this scale begin. */
  private static int row(float scale) {
    return (Float.floatToRawIntBits(scale) >>> 16 & 0x7F) << 7;
  }

  /**
   * What to add to magnitude and table entry to get the quotient's magnitude: 127 less the scale's
   * exponent.
   */
  private static int exponentOffset(float scale) {
    return (127 << 7) - (Float.floatToRawIntBits(scale) >>> 16 & 0x7F80);
  }

  /**
   * The code of {@code x / scale}, x being a bf16 pattern.
   *
   * @param row {@link #row} of the scale
   * @param exponentOffset {@link #exponentOffset} of the scale
   */
  private static byte code(int x, int row, int exponentOffset) {
    int magnitude = x & 0x7FFF;
    int sign = x >>> 8 & 0x80;
    if (magnitude >= 0x0080 && magnitude < 0x7F80) {
      int quotient = (magnitude & 0x7F80) + exponentOffset + QUOTIENTS[row | magnitude & 0x7F];
      return (byte) (CODES[quotient + BELOW] | sign);
    }
    return special(magnitude, sign);
  }

  /** The codes of {@code x / scale} for the first {@code n} bf16 patterns. */
  static void codes(short[] x, int n, float scale, byte[] codes) {
    int row = row(scale);
    int exponentOffset = exponentOffset(scale);
    for (int i = 0; i < n; i++) {
      codes[i] = code(x[i], row, exponentOffset);
    }
  }

  /** Zero loses its sign; subnormal numbers lie far below every code but 0; infinity and NaN. */
  private static byte special(int magnitude, int sign) {
    if (magnitude < 0x0080) {
      return (byte) (magnitude == 0 ? 0 : sign);
    }
    return Fp8E4M3.encode(Bf16.decode((short) (magnitude | sign << 8)));
  }

  private static byte[] codes() {
    byte[] codes = new byte[BELOW + 0x8000 + ABOVE];
    int infinity = 0x7F80;
    for (int bits = 0; bits < infinity; bits++) {
      codes[bits + BELOW] = Fp8E4M3.encode(Bf16.decode((short) bits));
    }
    // What would be infinite, and patterns that would be NaN's, are numbers too large.
    Arrays.fill(codes, BELOW + infinity, codes.length, Fp8E4M3.encode(Float.POSITIVE_INFINITY));
    return codes;
  }

  private static short[] quotients() {
    short[] quotients = new short[128 * 128];
    for (int s = 0; s < 128; s++) {
      for (int x = 0; x < 128; x++) {
        short quotient = Bf16.encode((128f + x) / (128f + s));
        quotients[s << 7 | x] = (short) (quotient - (127 << 7));
      }
    }
    return quotients;
  }
}
