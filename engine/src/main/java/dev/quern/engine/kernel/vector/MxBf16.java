package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * bf16 to E2M1 and E4M3 by scales that are powers of two, in lanes of 16 bits.
 *
 * <p>Dividing a normal number by 2^k takes k from its exponent, that is, {@code k << 7} from its
 * bit pattern. Scales from 2^-110 to 2^7 are taken here. Then what is wrong about this for
 * subnormal numbers does not matter: a weight that is subnormal, or a quotient whose pattern falls
 * to zero, is less than 2^-15, and its magnitude has code 0. The saturating subtraction keeps large
 * patterns, NaN included, large.
 *
 * <p>A negative quotient keeps its sign unless it rounds to zero in bf16, that is, up to 2^-134,
 * half of the smallest number: weights up to 2^(k-134), pattern {@code 1 << (k - 1)}, for k from 1
 * to 7, and zero alone for smaller k.
 *
 * <p>Groups are multiples of a vector's 16 or 32 lanes, so a vector has one scale.
 */
final class MxBf16 {
  private static final VectorSpecies<Short> S = Shapes.S;

  private static final short MAGNITUDE = 0x7FFF;

  private MxBf16() {}

  /** Whether a scale is a power of two in the range above. */
  static boolean takes(float scale) {
    boolean powerOfTwo = (Float.floatToRawIntBits(scale) & 0x7F_FFFF) == 0;
    return powerOfTwo && scale >= 0x1p-110f && scale <= 0x1p7f;
  }

  /** What to take from a pattern: k, in the place of the exponent. */
  private static short exponent(float scale) {
    return (short) ((Float.floatToRawIntBits(scale) >> 23) - 127 << 7);
  }

  /** The pattern of the largest weight whose quotient rounds to zero. */
  private static short vanishing(short exponent) {
    return (short) (1 << Math.max(0, exponent >> 7) >> 1);
  }

  /**
   * <pre>
   *   quotient   0 eeeeeeee m|mmmmmm     from 1 on, E2M1 keeps e and one m, half to even
   *   below 1    codes 0, 1, 2: one less than 2 below 0.75, one less again up to 0.25
   * </pre>
   *
   * @param n a multiple of the lanes of a short vector
   */
  static void e2m1(
      MemorySegment source,
      long from,
      int n,
      int groupSize,
      float[] scales,
      MemorySegment to,
      long at) {
    int shift = Integer.numberOfTrailingZeros(groupSize);
    for (int i = 0; i < n; i += S.length()) {
      short k = exponent(scales[i >> shift]);
      ShortVector x = ShortVector.fromMemorySegment(S, source, from + 2L * i, LE);
      ShortVector magnitude = x.and(MAGNITUDE);
      ShortVector t =
          magnitude.lanewise(VectorOperators.SSUB, k).max((short) 0).min((short) 0x40C0); // 6
      ShortVector normal = t.max((short) 0x3F80); // 1
      ShortVector tie = normal.lanewise(VectorOperators.LSHR, 6).and((short) 1);
      ShortVector code =
          normal
              .add(tie)
              .add((short) 31)
              .lanewise(VectorOperators.LSHR, 6)
              .sub((short) (2 * 127 - 2))
              .add(t.sub((short) 0x3F40).lanewise(VectorOperators.ASHR, 15)) // below 0.75
              .add(t.sub((short) 0x3E81).lanewise(VectorOperators.ASHR, 15)); // up to 0.25
      // The top bit is set where the weight does not vanish.
      ShortVector sign =
          ShortVector.broadcast(S, vanishing(k))
              .sub(magnitude)
              .and(x)
              .lanewise(VectorOperators.LSHR, 12)
              .and((short) 8);
      IntVector pairs = code.or(sign).reinterpretAsInts();
      IntVector packed = pairs.or(pairs.lanewise(VectorOperators.LSHR, 12));
      ((ByteVector) packed.convertShape(VectorOperators.I2B, Shapes.B_QUARTER, 0))
          .intoMemorySegment(to, at + i / 2, LE);
    }
  }

  /**
   * As {@link E4M3QuantizeBf16}, with the quotient found as above.
   *
   * @param n a multiple of the lanes of a short vector
   */
  static void e4m3(
      MemorySegment source,
      long from,
      int n,
      int groupSize,
      float[] scales,
      MemorySegment to,
      long at) {
    int shift = Integer.numberOfTrailingZeros(groupSize);
    for (int i = 0; i < n; i += S.length()) {
      short k = exponent(scales[i >> shift]);
      ShortVector x = ShortVector.fromMemorySegment(S, source, from + 2L * i, LE);
      ShortVector magnitude = x.and(MAGNITUDE);
      ShortVector t =
          magnitude.lanewise(VectorOperators.SSUB, k).max((short) 0).min((short) 0x43E0); // 448
      ShortVector tie = t.lanewise(VectorOperators.LSHR, 4).and((short) 1);
      ShortVector normal =
          t.add(tie).add((short) 7).lanewise(VectorOperators.LSHR, 4).sub((short) (120 << 3));
      // Below 2^-6 the code counts steps of 2^-9: the last bit of a binary32 at 2^14.
      IntVector pairs = t.reinterpretAsInts();
      IntVector evenSteps =
          pairs
              .lanewise(VectorOperators.LSHL, 16)
              .reinterpretAsFloats()
              .add(0x1p14f)
              .reinterpretAsInts();
      IntVector oddSteps =
          pairs.and(0xFFFF_0000).reinterpretAsFloats().add(0x1p14f).reinterpretAsInts();
      ShortVector subnormal =
          evenSteps
              .and(0xFFFF)
              .or(oddSteps.lanewise(VectorOperators.LSHL, 16))
              .reinterpretAsShorts();
      ShortVector number =
          normal.blend(subnormal, t.compare(VectorOperators.LT, (short) (121 << 7)));
      // 448 has the largest code but NaN's.
      ShortVector nan =
          ShortVector.broadcast(S, (short) 0x7F80)
              .sub(magnitude)
              .lanewise(VectorOperators.ASHR, 15);
      ShortVector code = number.sub(nan);
      ShortVector sign =
          ShortVector.broadcast(S, vanishing(k))
              .sub(magnitude)
              .and(x)
              .lanewise(VectorOperators.LSHR, 8)
              .and((short) 0x80);
      ((ByteVector) code.or(sign).convertShape(VectorOperators.S2B, Shapes.B_HALF, 0))
          .intoMemorySegment(to, at + i, LE);
    }
  }
}
