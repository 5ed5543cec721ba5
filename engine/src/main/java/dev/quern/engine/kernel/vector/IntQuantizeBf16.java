package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.engine.kernel.IntGroups;
import dev.quern.engine.kernel.IntKernels;
import dev.quern.engine.kernel.ScalarIntKernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * bf16 to integers with a multiplication in place of the division: codes of a byte, and two codes
 * of four bits in a byte.
 *
 * <p>Why the product gives the same bf16 quotient: a midpoint {@code m} between two bf16 values has
 * nine bits and is odd, {@code x} and {@code s} have eight at most. So {@code x - m * s} is never
 * zero, and {@code x / s} keeps a relative distance of at least 2^-17 from {@code m}; the binary32
 * product {@code x * (1 / s)} is off by less than 2^-22, hence on the same side, and it is no tie
 * itself, so that adding half a step rounds. This needs a reciprocal that is a normal number, which
 * {@link #reciprocalsAreExact} asks for, and a product that is one, too: where it is not, the
 * quotient is below 2^-125 or above 2^127, and the code is that of 0, or the outermost, for the
 * product as for the quotient. {@code IntQuantizeTwinTest} goes through all pairs of significands.
 *
 * <p>Rounding to an integer is adding 1.5 * 2^23, whose last bit is worth 1: the low bits of the
 * sum are the integer. As bit patterns those sums order like the numbers that went in, however
 * large, so an integer minimum and maximum clamp.
 *
 * <pre>
 *   source        | odd element (16 bits) | even element (16 bits) |   one 32-bit lane
 *   even, odd     | sum, binary32: 0x4B40 above, the integer below |   each on its own
 *   bytes         |  ...     odd code     |  ...      even code    |   narrowed to bytes, or
 *   nibbles       |  ...                  |  ... odd 4, even 4     |   one byte a lane
 * </pre>
 */
final class IntQuantizeBf16 {
  private static final VectorSpecies<Short> S = Shapes.S;
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final float TO_INTEGER = 0x1.8p23f;
  private static final short INFINITY = 0x7F80;

  private IntQuantizeBf16() {}

  /** Whether the reciprocal of each scale is a normal number, correct to half its last bit. */
  static boolean reciprocalsAreExact(float[] scales, int groups) {
    boolean exact = true;
    for (int g = 0; g < groups; g++) {
      exact &= scales[g] >= 0x1p-126f && scales[g] <= 0x1p126f;
    }
    return exact;
  }

  /**
   * Whether a group is a whole number of vectors, and a power of two: what the loops here find a
   * group's scale by. A row of one group always is.
   */
  static boolean fits(int n, int groupSize) {
    return groupSize >= n || (Integer.bitCount(groupSize) == 1 && groupSize >= S.length());
  }

  /** The shift that makes the number of a group of the number of an element. */
  private static int shift(int n, int groupSize) {
    return groupSize >= n ? Integer.SIZE - 1 : Integer.numberOfTrailingZeros(groupSize);
  }

  /**
   * One byte a code.
   *
   * @param bias 0 for signed codes, {@code 2^(bits-1)} for stored ones
   * @return false when there was a NaN: then the codes are not valid
   */
  static boolean bytes(
      MemorySegment source,
      long from,
      int n,
      IntGroups groups,
      int firstGroup,
      int bias,
      MemorySegment target,
      long to) {
    boolean numbers =
        groups.isSymmetric()
            ? symmetricBytes(source, from, n, groups, firstGroup, bias, target, to)
            : asymmetricBytes(source, from, n, groups, firstGroup, bias, target, to);
    int shift = shift(n, groups.groupSize());
    for (int i = S.loopBound(n); i < n; i++) {
      byte code = tail(source, from, i, groups, firstGroup + (i >>> shift));
      target.set(JAVA_BYTE, to + i, (byte) (code + bias));
    }
    return numbers;
  }

  /** Four bits a code, packed. Parameters and result as for {@link #bytes}. */
  static boolean nibbles(
      MemorySegment source, long from, int n, IntGroups groups, MemorySegment target, long to) {
    boolean numbers =
        groups.isSymmetric()
            ? symmetricNibbles(source, from, n, groups, target, to)
            : asymmetricNibbles(source, from, n, groups, target, to);
    int shift = shift(n, groups.groupSize());
    int i = S.loopBound(n);
    for (; i < n; i += 2) {
      int stored = ScalarIntKernels.biased(tail(source, from, i, groups, i >>> shift), 4);
      if (i + 1 < n) {
        byte odd = tail(source, from, i + 1, groups, (i + 1) >>> shift);
        stored |= ScalarIntKernels.biased(odd, 4) << 4;
      }
      target.set(JAVA_BYTE, to + i / 2, (byte) stored);
    }
    for (long at = i / 2; at < IntKernels.packedBytes(n, 4); at++) {
      target.set(JAVA_BYTE, to + at, (byte) 0);
    }
    return numbers;
  }

  private static byte tail(MemorySegment source, long from, int i, IntGroups groups, int group) {
    float x = FloatType.BF16.load(source, from + 2L * i);
    return ScalarIntKernels.quantize(FloatType.BF16, x, groups, group);
  }

  private static boolean symmetricBytes(
      MemorySegment source,
      long from,
      int n,
      IntGroups groups,
      int firstGroup,
      int bias,
      MemorySegment target,
      long to) {
    float[] scales = groups.scales();
    int shift = shift(n, groups.groupSize());
    float integer = TO_INTEGER + bias;
    int lowest = lowest(groups.bits(), integer);
    int highest = highest(groups.bits(), integer);
    ShortVector largest = ShortVector.zero(S);
    for (int i = 0, bound = S.loopBound(n); i < bound; i += S.length()) {
      ShortVector x = ShortVector.fromMemorySegment(S, source, from + 2L * i, LE);
      largest = largest.max(x.and((short) 0x7FFF));
      IntVector pairs = x.reinterpretAsInts();
      FloatVector r = FloatVector.broadcast(F, 1f / scales[firstGroup + (i >>> shift)]);
      IntVector even = quotient(pairs.lanewise(VectorOperators.LSHL, 16), r);
      IntVector odd = quotient(pairs.and(0xFFFF_0000), r);
      IntVector evenSum = even.reinterpretAsFloats().add(integer).reinterpretAsInts();
      IntVector oddSum = odd.reinterpretAsFloats().add(integer).reinterpretAsInts();
      IntVector low = evenSum.max(lowest).min(highest).and(0xFFFF);
      IntVector high = oddSum.max(lowest).min(highest).lanewise(VectorOperators.LSHL, 16);
      ((ByteVector)
              low.or(high)
                  .reinterpretAsShorts()
                  .convertShape(VectorOperators.S2B, Shapes.B_HALF, 0))
          .intoMemorySegment(target, to + i, LE);
    }
    return largest.reduceLanes(VectorOperators.MAX) <= INFINITY;
  }

  private static boolean asymmetricBytes(
      MemorySegment source,
      long from,
      int n,
      IntGroups groups,
      int firstGroup,
      int bias,
      MemorySegment target,
      long to) {
    float[] scales = groups.scales();
    float[] zeroPoints = groups.zeroPoints();
    int shift = shift(n, groups.groupSize());
    float integer = TO_INTEGER + bias;
    int lowest = lowest(groups.bits(), integer);
    int highest = highest(groups.bits(), integer);
    ShortVector largest = ShortVector.zero(S);
    for (int i = 0, bound = S.loopBound(n); i < bound; i += S.length()) {
      ShortVector x = ShortVector.fromMemorySegment(S, source, from + 2L * i, LE);
      largest = largest.max(x.and((short) 0x7FFF));
      IntVector pairs = x.reinterpretAsInts();
      int group = firstGroup + (i >>> shift);
      FloatVector r = FloatVector.broadcast(F, 1f / scales[group]);
      FloatVector zero = FloatVector.broadcast(F, zeroPoints[group]);
      IntVector even = shifted(quotient(pairs.lanewise(VectorOperators.LSHL, 16), r), zero);
      IntVector odd = shifted(quotient(pairs.and(0xFFFF_0000), r), zero);
      IntVector evenSum = even.reinterpretAsFloats().add(integer).reinterpretAsInts();
      IntVector oddSum = odd.reinterpretAsFloats().add(integer).reinterpretAsInts();
      IntVector low = evenSum.max(lowest).min(highest).and(0xFFFF);
      IntVector high = oddSum.max(lowest).min(highest).lanewise(VectorOperators.LSHL, 16);
      ((ByteVector)
              low.or(high)
                  .reinterpretAsShorts()
                  .convertShape(VectorOperators.S2B, Shapes.B_HALF, 0))
          .intoMemorySegment(target, to + i, LE);
    }
    return largest.reduceLanes(VectorOperators.MAX) <= INFINITY;
  }

  private static boolean symmetricNibbles(
      MemorySegment source, long from, int n, IntGroups groups, MemorySegment target, long to) {
    float[] scales = groups.scales();
    int shift = shift(n, groups.groupSize());
    float integer = TO_INTEGER + 8;
    int lowest = lowest(4, integer);
    int highest = highest(4, integer);
    ShortVector largest = ShortVector.zero(S);
    for (int i = 0, bound = S.loopBound(n); i < bound; i += S.length()) {
      ShortVector x = ShortVector.fromMemorySegment(S, source, from + 2L * i, LE);
      largest = largest.max(x.and((short) 0x7FFF));
      IntVector pairs = x.reinterpretAsInts();
      FloatVector r = FloatVector.broadcast(F, 1f / scales[i >>> shift]);
      IntVector even = quotient(pairs.lanewise(VectorOperators.LSHL, 16), r);
      IntVector odd = quotient(pairs.and(0xFFFF_0000), r);
      IntVector evenSum = even.reinterpretAsFloats().add(integer).reinterpretAsInts();
      IntVector oddSum = odd.reinterpretAsFloats().add(integer).reinterpretAsInts();
      // Both are 0x4B400000 and four bits; what is above the low byte is dropped.
      IntVector low = evenSum.max(lowest).min(highest);
      IntVector high = oddSum.max(lowest).min(highest).lanewise(VectorOperators.LSHL, 4);
      ((ByteVector) low.or(high).convertShape(VectorOperators.I2B, Shapes.B_QUARTER, 0))
          .intoMemorySegment(target, to + i / 2, LE);
    }
    return largest.reduceLanes(VectorOperators.MAX) <= INFINITY;
  }

  private static boolean asymmetricNibbles(
      MemorySegment source, long from, int n, IntGroups groups, MemorySegment target, long to) {
    float[] scales = groups.scales();
    float[] zeroPoints = groups.zeroPoints();
    int shift = shift(n, groups.groupSize());
    float integer = TO_INTEGER + 8;
    int lowest = lowest(4, integer);
    int highest = highest(4, integer);
    ShortVector largest = ShortVector.zero(S);
    for (int i = 0, bound = S.loopBound(n); i < bound; i += S.length()) {
      ShortVector x = ShortVector.fromMemorySegment(S, source, from + 2L * i, LE);
      largest = largest.max(x.and((short) 0x7FFF));
      IntVector pairs = x.reinterpretAsInts();
      FloatVector r = FloatVector.broadcast(F, 1f / scales[i >>> shift]);
      FloatVector zero = FloatVector.broadcast(F, zeroPoints[i >>> shift]);
      IntVector even = shifted(quotient(pairs.lanewise(VectorOperators.LSHL, 16), r), zero);
      IntVector odd = shifted(quotient(pairs.and(0xFFFF_0000), r), zero);
      IntVector evenSum = even.reinterpretAsFloats().add(integer).reinterpretAsInts();
      IntVector oddSum = odd.reinterpretAsFloats().add(integer).reinterpretAsInts();
      IntVector low = evenSum.max(lowest).min(highest);
      IntVector high = oddSum.max(lowest).min(highest).lanewise(VectorOperators.LSHL, 4);
      ((ByteVector) low.or(high).convertShape(VectorOperators.I2B, Shapes.B_QUARTER, 0))
          .intoMemorySegment(target, to + i / 2, LE);
    }
    return largest.reduceLanes(VectorOperators.MAX) <= INFINITY;
  }

  /** The bits of the sum that stands for the smallest code. */
  private static int lowest(int bits, float integer) {
    return Float.floatToRawIntBits(integer + IntGroups.lowest(bits));
  }

  /** The bits of the sum that stands for the largest code. */
  private static int highest(int bits, float integer) {
    return Float.floatToRawIntBits(integer + IntGroups.highest(bits));
  }

  /** The quotient, rounded to bf16; the lower half of each lane is zero. */
  private static IntVector quotient(IntVector x, FloatVector reciprocal) {
    return x.reinterpretAsFloats().mul(reciprocal).reinterpretAsInts().add(0x8000).and(0xFFFF_0000);
  }

  /** The sum with the zero point, rounded to bf16; here ties occur. */
  private static IntVector shifted(IntVector quotient, FloatVector zeroPoint) {
    return FloatLanes.roundBitsToBf16(
        quotient.reinterpretAsFloats().add(zeroPoint).reinterpretAsInts());
  }
}
