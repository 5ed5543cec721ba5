package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.engine.kernel.ScalarKernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * bf16 to E4M3 with a multiplication in place of the division, two elements in each 32-bit lane.
 *
 * <p>Why the product gives the same bits: a bf16 quotient {@code x / s} has 8-bit significands above and below. A
 * midpoint {@code m} between two bf16 values has 9 bits and is odd, so {@code x - m * s} is never zero and {@code x / s}
 * keeps a relative distance of at least 2^-17 from {@code m}; the binary32 product {@code x * (1 / s)} is off by less
 * than 2^-22, hence on the same side. {@code E4M3ReciprocalTest} goes through all pairs of significands.
 *
 * <pre>
 *   source lane   | odd element (16 bits) | even element (16 bits) |
 *   odd           | odd element           | 0                      |   and 0xFFFF0000: its binary32 value
 *   even          | even element          | 0                      |   shift left 16
 *   codes         |  ........  odd code   |  ........  even code   |   narrowed to two bytes
 * </pre>
 */
final class E4M3QuantizeBf16 {
  private static final VectorSpecies<Short> S = Shapes.S;

  private E4M3QuantizeBf16() {}

  /**
   * Whether {@code 1 / scale} and every product with it that matters are normal numbers. Scales above 1 are left to
   * the division, because a small quotient could then round to zero and lose its sign.
   */
  static boolean reciprocalIsExact(float scale) {
    return scale >= 0x1p-100f && scale <= 1f;
  }

  static void quantize(
      MemorySegment source,
      long sourceOffset,
      int n,
      float scale,
      MemorySegment target,
      long targetOffset) {
    float reciprocal = 1f / scale;
    int i = 0;
    for (int bound = S.loopBound(n); i < bound; i += S.length()) {
      ShortVector x = ShortVector.fromMemorySegment(S, source, sourceOffset + 2L * i, LE);
      IntVector pairs = x.reinterpretAsInts();
      IntVector even =
          E4M3Vectors.codes(
              E4M3Vectors.roundToBf16(
                  pairs.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().mul(reciprocal)));
      IntVector odd =
          E4M3Vectors.codes(
              E4M3Vectors.roundToBf16(pairs.and(0xFFFF_0000).reinterpretAsFloats().mul(reciprocal)));
      ShortVector codes =
          even.and(0xFFFF)
              .or(odd.lanewise(VectorOperators.LSHL, 16))
              .reinterpretAsShorts()
              .sub((short) E4M3Vectors.CODE_BIAS);
      ShortVector magnitude = x.and((short) 0x7FFF);
      VectorMask<Short> nan = magnitude.compare(VectorOperators.GT, (short) 0x7F80);
      VectorMask<Short> zero = magnitude.compare(VectorOperators.EQ, (short) 0);
      ShortVector sign = x.lanewise(VectorOperators.LSHR, 8).and((short) 0x80).blend((short) 0, zero);
      ByteVector bytes =
          (ByteVector)
              codes
                  .blend((short) 0x7F, nan)
                  .or(sign)
                  .convertShape(VectorOperators.S2B, Shapes.B_HALF, 0);
      bytes.intoMemorySegment(target, targetOffset + i, LE);
    }
    for (; i < n; i++) {
      float x = FloatType.BF16.load(source, sourceOffset + 2L * i);
      target.set(
          JAVA_BYTE, targetOffset + i, ScalarKernels.quantizeE4M3(FloatType.BF16, x, scale));
    }
  }
}
