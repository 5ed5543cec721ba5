package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import dev.quern.engine.kernel.ThreadBuffer;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * E2M1 by division in binary32.
 *
 * <p>How a magnitude becomes a code: let 2^e be the power of two below it, at least 1. Adding
 * 2^(e+22), whose last bit is worth 2^(e-1), makes the adder round to E2M1's one fraction bit, half
 * to even, and leaves the count n of steps of 2^(e-1) in the low bits of the sum. The code is 2 e +
 * n, for 0 and 0.5 alike; shifted right by 22, the sum's exponent field is 2 e and a constant.
 *
 * <p>Where the quotient is to be rounded to the weights' type first, the scale must be a power of
 * two: then only quotients that are subnormal in that type change, all of them far below E2M1's
 * first tie, and what remains of the rounding is whether a negative one becomes zero and loses its
 * sign. {@code zero} is the largest magnitude, as bits, that does: 0 without that rounding, half of
 * the type's smallest number with it.
 *
 * <p>Group sizes are 16 or 32, so a vector lies within a group, or covers two of 16 exactly.
 *
 * <p>The steps are written out in each loop; a helper would come too late: see {@link FloatLanes}.
 */
final class E2M1QuantizeVectors {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final VectorSpecies<Integer> I = Shapes.I;
  private static final VectorSpecies<Short> S = Shapes.S;

  private static final int SIGN = 1 << 31;
  private static final int MAGNITUDE = 0x7FFF_FFFF;
  private static final int INFINITY = 0x7F80_0000;
  private static final int MAX = Float.floatToRawIntBits(6f);
  private static final int ONE = Float.floatToRawIntBits(1f);
  private static final int CODE_BIAS = 2 * (127 + 22);

  /** Lanes of the second group, where a vector of shorts covers two groups of 16. */
  private static final VectorMask<Float> SECOND = VectorMask.fromValues(F, second());

  /** From lanes that the two vectors take in turn to those of the first, then the second. */
  private static final VectorShuffle<Integer> IN_ORDER =
      VectorShuffle.fromOp(I, i -> i < I.length() / 2 ? 2 * i : 2 * i - I.length() + 1);

  private static final ThreadBuffer FLOATS = new ThreadBuffer();

  private E2M1QuantizeVectors() {}

  private static boolean[] second() {
    boolean[] second = new boolean[F.length()];
    for (int i = 0; i < second.length; i++) {
      second[i] = i >= 8;
    }
    return second;
  }

  /**
   * Elements stand in pairs in 32-bit lanes, and each of a pair becomes a binary32 on its own.
   *
   * @param n a multiple of the lanes of a short vector
   */
  static void bf16(
      MemorySegment source,
      long from,
      int n,
      int groupSize,
      float[] scales,
      int zero,
      MemorySegment to,
      long at) {
    int shift = Integer.numberOfTrailingZeros(groupSize);
    for (int i = 0; i < n; i += S.length()) {
      IntVector pairs =
          ShortVector.fromMemorySegment(S, source, from + 2L * i, LE).reinterpretAsInts();
      FloatVector scale =
          FloatVector.broadcast(F, scales[i >> shift])
              .blend(scales[i + S.length() / 2 >> shift], SECOND);
      IntVector even = pairs.lanewise(VectorOperators.LSHL, 16);
      IntVector q0 = even.reinterpretAsFloats().div(scale).reinterpretAsInts().and(MAGNITUDE);
      IntVector q1 =
          pairs
              .and(0xFFFF_0000)
              .reinterpretAsFloats()
              .div(scale)
              .reinterpretAsInts()
              .and(MAGNITUDE);
      IntVector m0 = q0.min(MAX);
      IntVector m1 = q1.min(MAX);
      IntVector magic0 = m0.and(INFINITY).max(ONE).add(22 << 23);
      IntVector magic1 = m1.and(INFINITY).max(ONE).add(22 << 23);
      IntVector sum0 =
          m0.reinterpretAsFloats().add(magic0.reinterpretAsFloats()).reinterpretAsInts();
      IntVector sum1 =
          m1.reinterpretAsFloats().add(magic1.reinterpretAsFloats()).reinterpretAsInts();
      // The top bit is set exactly where the magnitude is above zero.
      IntVector sign0 = m0.sub(zero).neg().and(even).and(SIGN).lanewise(VectorOperators.LSHR, 28);
      IntVector sign1 = m1.sub(zero).neg().and(pairs).and(SIGN).lanewise(VectorOperators.LSHR, 28);
      IntVector code0 =
          sum0.lanewise(VectorOperators.LSHR, 22).sub(CODE_BIAS).add(sum0.and(7)).or(sign0);
      IntVector code1 =
          sum1.lanewise(VectorOperators.LSHR, 22).sub(CODE_BIAS).add(sum1.and(7)).or(sign1);
      IntVector packed = code0.or(code1.lanewise(VectorOperators.LSHL, 4));
      ((ByteVector) packed.convertShape(VectorOperators.I2B, Shapes.B_QUARTER, 0))
          .intoMemorySegment(to, at + i / 2, LE);
    }
  }

  /**
   * By way of a row of binary32: decoding f16 in the loop of two vectors would make it too large
   * for C2.
   *
   * @param n a multiple of the lanes of a short vector
   */
  static void f16(
      MemorySegment source,
      long from,
      int n,
      int groupSize,
      float[] scales,
      int zero,
      MemorySegment to,
      long at) {
    MemorySegment floats = FLOATS.atLeast(4L * n);
    for (int i = 0; i < n; i += F.length()) {
      FloatLanes.loadF16(source, from + 2L * i).intoMemorySegment(floats, 4L * i, LE);
    }
    f32(floats, 0, n, groupSize, scales, zero, to, at);
  }

  /**
   * @param n a multiple of the lanes of a short vector
   */
  static void f32(
      MemorySegment source,
      long from,
      int n,
      int groupSize,
      float[] scales,
      int zero,
      MemorySegment to,
      long at) {
    int shift = Integer.numberOfTrailingZeros(groupSize);
    for (int i = 0; i < n; i += 2 * F.length()) {
      FloatVector x0 = FloatLanes.loadF32(source, from + 4L * i);
      FloatVector x1 = FloatLanes.loadF32(source, from + 4L * (i + F.length()));
      IntVector m0 = x0.div(scales[i >> shift]).reinterpretAsInts().and(MAGNITUDE).min(MAX);
      IntVector m1 =
          x1.div(scales[i + F.length() >> shift]).reinterpretAsInts().and(MAGNITUDE).min(MAX);
      IntVector magic0 = m0.and(INFINITY).max(ONE).add(22 << 23);
      IntVector magic1 = m1.and(INFINITY).max(ONE).add(22 << 23);
      IntVector sum0 =
          m0.reinterpretAsFloats().add(magic0.reinterpretAsFloats()).reinterpretAsInts();
      IntVector sum1 =
          m1.reinterpretAsFloats().add(magic1.reinterpretAsFloats()).reinterpretAsInts();
      IntVector sign0 =
          m0.sub(zero)
              .neg()
              .and(x0.reinterpretAsInts())
              .and(SIGN)
              .lanewise(VectorOperators.LSHR, 28);
      IntVector sign1 =
          m1.sub(zero)
              .neg()
              .and(x1.reinterpretAsInts())
              .and(SIGN)
              .lanewise(VectorOperators.LSHR, 28);
      IntVector code0 =
          sum0.lanewise(VectorOperators.LSHR, 22).sub(CODE_BIAS).add(sum0.and(7)).or(sign0);
      IntVector code1 =
          sum1.lanewise(VectorOperators.LSHR, 22).sub(CODE_BIAS).add(sum1.and(7)).or(sign1);
      // Neighbours meet in the lower byte of 64 bits, and those bytes then in 32-bit lanes.
      LongVector pairs0 = code0.reinterpretAsLongs();
      LongVector pairs1 = code1.reinterpretAsLongs();
      LongVector bytes0 = pairs0.or(pairs0.lanewise(VectorOperators.LSHR, 28));
      LongVector bytes1 = pairs1.or(pairs1.lanewise(VectorOperators.LSHR, 28));
      IntVector bytes =
          bytes0
              .and(0xFF)
              .or(bytes1.lanewise(VectorOperators.LSHL, 32))
              .reinterpretAsInts()
              .rearrange(IN_ORDER);
      ((ByteVector) bytes.convertShape(VectorOperators.I2B, Shapes.B_QUARTER, 0))
          .intoMemorySegment(to, at + i / 2, LE);
    }
  }
}
