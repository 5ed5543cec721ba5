package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.engine.kernel.ScalarKernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * bf16 to E4M3 with a multiplication in place of the division, and 16-bit lanes wherever they
 * suffice.
 *
 * <p>Why the product gives the same bits: a bf16 quotient {@code x / s} has 8-bit significands
 * above and below. A midpoint {@code m} between two bf16 values has 9 bits and is odd, so {@code x
 * - m * s} is never zero and {@code x / s} keeps a relative distance of at least 2^-17 from {@code
 * m}; the binary32 product {@code x * (1 / s)} is off by less than 2^-22, hence on the same side.
 * So no tie occurs either, and adding half a step rounds. {@code E4M3QuantizeTwinTest} goes through
 * all pairs of significands.
 *
 * <pre>
 *   magnitudes    | odd element (16 bits) | even element (16 bits) |   one 32-bit lane of the source
 *   even, odd     | quotient, bf16        | 0                      |   each on its own, as binary32
 *   quotients     | odd quotient, bf16    | even quotient, bf16    |   twice as many lanes of 16 bits
 *   codes         |      ... odd code     |      ... even code     |   narrowed to bytes
 * </pre>
 *
 * <p>There is no branch in the loop: a vector that crosses one costs more than computing both
 * sides, most of all with AVX2.
 */
final class E4M3QuantizeBf16 {
  private static final VectorSpecies<Short> S = Shapes.S;

  private static final short MIN_NORMAL = 121 << 7; // 2^-6 as bf16
  private static final short CODE_BIAS = 120 << 3; // exponent bias 127 - 7, in steps of E4M3
  private static final int LARGEST_ROUNDING_DOWN = 0x43E8; // 464 as bf16, a tie that goes to 448

  private E4M3QuantizeBf16() {}

  /**
   * Whether {@code 1 / scale} and every product with it that matters are normal numbers. Scales
   * above 1 are left to the division, because a small quotient could then round to zero and lose
   * its sign.
   */
  static boolean reciprocalIsExact(float scale) {
    return scale >= 0x1p-100f && scale <= 1f;
  }

  /**
   * Quantizes a run by a scale that passes {@link #reciprocalIsExact}.
   *
   * @return false when a quotient was too large for the rounding here, or NaN: then the codes are
   *     not valid
   */
  static boolean quantize(
      MemorySegment source,
      long sourceOffset,
      int n,
      float scale,
      MemorySegment target,
      long targetOffset) {
    float reciprocal = 1f / scale;
    ShortVector largest = ShortVector.zero(S);
    int i = 0;
    for (int bound = S.loopBound(n); i < bound; i += S.length()) {
      ShortVector x = ShortVector.fromMemorySegment(S, source, sourceOffset + 2L * i, LE);
      ShortVector magnitude = x.and((short) 0x7FFF);
      IntVector pairs = magnitude.reinterpretAsInts();
      IntVector even = quotient(pairs.lanewise(VectorOperators.LSHL, 16), reciprocal);
      IntVector odd = quotient(pairs.and(0xFFFF_0000), reciprocal);
      ShortVector t = even.lanewise(VectorOperators.LSHR, 16).or(odd).reinterpretAsShorts();
      largest = largest.max(t);

      // Half to even at the fourth bit; then exponent and fraction are E4M3's but for the bias.
      ShortVector tie = t.lanewise(VectorOperators.LSHR, 4).and((short) 1);
      ShortVector normal =
          t.add(tie).add((short) 7).lanewise(VectorOperators.LSHR, 4).sub(CODE_BIAS);
      // Below 2^-6 the code counts steps of 2^-9: the last bit of a binary32 at 2^14.
      IntVector evenSteps = even.reinterpretAsFloats().add(0x1p14f).reinterpretAsInts();
      IntVector oddSteps = odd.reinterpretAsFloats().add(0x1p14f).reinterpretAsInts();
      ShortVector subnormal =
          evenSteps
              .and(0xFFFF)
              .or(oddSteps.lanewise(VectorOperators.LSHL, 16))
              .reinterpretAsShorts();
      ShortVector code = normal.blend(subnormal, t.compare(VectorOperators.LT, MIN_NORMAL));

      // The negation has its top bit set exactly when the magnitude is not zero: -0 becomes +0.
      ShortVector sign = x.and(magnitude.neg()).lanewise(VectorOperators.LSHR, 8).and((short) 0x80);
      ((ByteVector) code.or(sign).convertShape(VectorOperators.S2B, Shapes.B_HALF, 0))
          .intoMemorySegment(target, targetOffset + i, LE);
    }
    if (largest.reduceLanes(VectorOperators.MAX) > LARGEST_ROUNDING_DOWN) {
      return false;
    }
    for (; i < n; i++) {
      float x = FloatType.BF16.load(source, sourceOffset + 2L * i);
      target.set(JAVA_BYTE, targetOffset + i, ScalarKernels.quantizeE4M3(FloatType.BF16, x, scale));
    }
    return true;
  }

  /**
   * The quotient of magnitudes, rounded to bf16; the lower half of each lane is zero. NaN stays
   * above infinity.
   */
  private static IntVector quotient(IntVector magnitude, float reciprocal) {
    return magnitude
        .reinterpretAsFloats()
        .mul(reciprocal)
        .reinterpretAsInts()
        .add(0x8000)
        .and(0xFFFF_0000);
  }
}
