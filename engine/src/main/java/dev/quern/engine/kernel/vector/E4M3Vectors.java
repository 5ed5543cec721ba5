package dev.quern.engine.kernel.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** Steps that the E4M3 kernels share; small enough to be inlined into their loops. */
final class E4M3Vectors {
  /** What {@link #codes} adds to a code: 141 * 8. */
  static final int CODE_BIAS = 141 << 3;

  private static final int MAX_BITS = Float.floatToRawIntBits(448f);
  private static final int MIN_NORMAL_EXPONENT = Float.floatToRawIntBits(0x1p-6f);

  private E4M3Vectors() {}

  /**
   * Rounds to 8 significant bits by Veltkamp's splitting: {@code c = (2^16 + 1) x; c - (c - x)}.
   *
   * <p>Nearest, with ties in either direction: for values that are known to be off every tie. Above 2^110 the result is
   * NaN, which {@link #codes} takes for a large value.
   */
  static FloatVector roundToBf16(FloatVector x) {
    FloatVector c = x.mul(65537f);
    return c.sub(c.sub(x));
  }

  /**
   * The E4M3 codes, without sign, of the magnitudes of {@code t}, each plus {@link #CODE_BIAS}; the upper bits of
   * the lanes are not cleared. NaN counts as large.
   *
   * <p>Let 2^e be the power of two below the magnitude, at least 2^-6. Adding 2^(e+20), whose last bit is worth
   * 2^(e-3), makes the adder round to E4M3's three fraction bits, half to even, and leaves in the low bits of the sum
   * the count n of steps of 2^(e-3). The code is 8 (e + 6) + n, for normal and subnormal values alike.
   */
  static IntVector codes(FloatVector t) {
    IntVector magnitude = t.reinterpretAsInts().and(0x7FFF_FFFF).min(MAX_BITS);
    IntVector magic = magnitude.and(0x7F80_0000).max(MIN_NORMAL_EXPONENT).add(20 << 23);
    IntVector sum =
        magnitude.reinterpretAsFloats().add(magic.reinterpretAsFloats()).reinterpretAsInts();
    return sum.lanewise(VectorOperators.LSHR, 20).add(sum);
  }
}
