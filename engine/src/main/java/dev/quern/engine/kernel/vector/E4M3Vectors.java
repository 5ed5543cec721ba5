package dev.quern.engine.kernel.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** Steps that the E4M3 kernels share; small enough to be inlined into their loops. */
final class E4M3Vectors {
  private static final int MAX_BITS = Float.floatToRawIntBits(448f);
  private static final int MIN_NORMAL_EXPONENT = Float.floatToRawIntBits(0x1p-6f);

  private E4M3Vectors() {}

  /**
   * The E4M3 codes, without sign, of the magnitudes of {@code t}, in the low eight bits of the
   * lanes; what is above them is garbage. NaN counts as large.
   *
   * <p>Let 2^e be the power of two below the magnitude, at least 2^-6. Adding 2^(e+20), whose last
   * bit is worth 2^(e-3), makes the adder round to E4M3's three fraction bits, half to even, and
   * leaves in the low bits of the sum the count n of steps of 2^(e-3). The code is 8 (e + 6) + n,
   * for normal and subnormal values alike.
   */
  static IntVector codes(FloatVector t) {
    IntVector magnitude = t.reinterpretAsInts().and(0x7FFF_FFFF).min(MAX_BITS);
    IntVector magic = magnitude.and(0x7F80_0000).max(MIN_NORMAL_EXPONENT).add(20 << 23);
    IntVector sum =
        magnitude.reinterpretAsFloats().add(magic.reinterpretAsFloats()).reinterpretAsInts();
    return sum.lanewise(VectorOperators.LSHR, 20).add(sum).sub(141 << 3);
  }
}
