package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.engine.kernel.MxScales;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Rows of bf16 to MXFP4 and MXFP8 in lanes of 16 bits: a loop over the groups' largest magnitudes
 * and their scales, and one over the elements, which are in the first cache by then.
 *
 * <p>Dividing a normal number by 2^k takes k from its exponent, that is, {@code k << 7} from its
 * bit pattern. Scales from 2^-110 to 1 are taken here, which those of weights always are. Then what
 * is wrong about this for zero and for subnormal numbers does not matter: their patterns stay below
 * 2^-16, and such a magnitude has code 0. No quotient rounds to zero that is not zero, since none
 * is smaller than its weight. No quotient of MXFP8 has to be cut off, since significands from 1.75
 * on go to the next scale.
 *
 * <p>A row with any other group is refused as a whole, and has to be done another way. There is no
 * branch in the loops, so a vector never crosses one.
 */
final class MxBf16 {
  private static final VectorSpecies<Short> S = Shapes.S;
  private static final VectorSpecies<Short> S16 = Shapes.S16;

  private static final short MAGNITUDE = 0x7FFF;
  private static final short MINUS_ZERO = (short) 0x8000;
  private static final short MIN_NORMAL = 121 << 7; // 2^-6
  private static final int LARGEST_FINITE = 0x7F7F;
  private static final int ONE = 127; // E8M0 code of 1
  private static final int SMALLEST = ONE - 110;

  /** Of the two elements in 32 bits, the upper one. */
  private static final VectorMask<Short> ODD = VectorMask.fromValues(S, odd());

  private MxBf16() {}

  private static boolean[] odd() {
    boolean[] odd = new boolean[S.length()];
    for (int i = 1; i < odd.length; i += 2) {
      odd[i] = true;
    }
    return odd;
  }

  /**
   * The groups' scales, by {@link MxScales#code}, and what division by them adds to a pattern: -k,
   * in the place of the exponent.
   *
   * @return whether all groups are taken
   */
  private static boolean scales(
      MemorySegment source,
      long from,
      int groups,
      int maxExponent,
      MemorySegment scales,
      long at,
      int[] addends) {
    int refused = 0;
    for (int g = 0; g < groups; g++) {
      long offset = from + 64L * g;
      ShortVector first = ShortVector.fromMemorySegment(S16, source, offset, LE).and(MAGNITUDE);
      ShortVector second =
          ShortVector.fromMemorySegment(S16, source, offset + 32, LE).and(MAGNITUDE);
      int max = first.max(second).reduceLanes(VectorOperators.MAX);
      int code = Math.max(0, (max + 32 >> 7) - maxExponent);
      scales.set(JAVA_BYTE, at + g, (byte) code);
      // A group of zeros may have any addend; a smaller scale is refused with any other.
      addends[g] = Math.min(ONE - code, ONE - SMALLEST) << 7;
      refused |= ONE - code | LARGEST_FINITE - max | code - SMALLEST & -max;
    }
    return refused >= 0;
  }

  /**
   * MXFP4.
   *
   * <pre>
   *   quotient   0 eeeeeeee m|mmmmmm     from 1 on, E2M1 keeps e and one m, half to even
   *   below 1    codes 0, 1, 2: one less than 2 below 0.75, one less again up to 0.25
   * </pre>
   *
   * @param n a multiple of 32
   * @param addends room for {@code n / 32} ints
   * @return whether the row was taken; if not, what was written is not valid
   */
  static boolean e2m1(
      MemorySegment source,
      long from,
      int n,
      MemorySegment to,
      long at,
      MemorySegment scales,
      long scalesAt,
      int[] addends) {
    int groups = n / MxScales.GROUP_SIZE;
    if (!scales(source, from, groups, MxScales.E2M1_MAX_EXPONENT, scales, scalesAt, addends)) {
      return false;
    }
    for (int i = 0; i < n; i += S.length()) {
      short addend = (short) addends[i / MxScales.GROUP_SIZE];
      ShortVector x = ShortVector.fromMemorySegment(S, source, from + 2L * i, LE);
      ShortVector t = x.and(MAGNITUDE).add(addend).min((short) 0x40C0); // 6
      ShortVector normal = t.max((short) 0x3F80); // 1
      ShortVector tie = normal.lanewise(VectorOperators.LSHR, 6).and((short) 1);
      ShortVector code =
          normal
              .add(tie)
              .add((short) (31 - (2 * 127 - 2 << 6)))
              .lanewise(VectorOperators.LSHR, 6)
              .add(t.sub((short) 0x3F40).lanewise(VectorOperators.ASHR, 15)) // below 0.75
              .add(t.sub((short) 0x3E81).lanewise(VectorOperators.ASHR, 15)); // up to 0.25
      // Without sign, negative numbers lie above -0.
      IntVector pairs =
          code.add((short) 8, x.compare(VectorOperators.UGT, MINUS_ZERO)).reinterpretAsInts();
      IntVector packed = pairs.or(pairs.lanewise(VectorOperators.LSHR, 12));
      ((ByteVector) packed.convertShape(VectorOperators.I2B, Shapes.B_QUARTER, 0))
          .intoMemorySegment(to, at + i / 2, LE);
    }
    return true;
  }

  /**
   * MXFP8.
   *
   * <pre>
   *   quotient      0 eeeeeeee mmm|mmmm    from 2^-6 on, E4M3 keeps e and three m, half to even
   *   below 2^-6    the code counts steps of 2^-9: the last bit of a binary32 at 2^14
   * </pre>
   *
   * @param n a multiple of 32
   * @param addends room for {@code n / 32} ints
   * @return whether the row was taken; if not, what was written is not valid
   */
  static boolean e4m3(
      MemorySegment source,
      long from,
      int n,
      MemorySegment to,
      long at,
      MemorySegment scales,
      long scalesAt,
      int[] addends) {
    int groups = n / MxScales.GROUP_SIZE;
    if (!scales(source, from, groups, MxScales.E4M3_MAX_EXPONENT, scales, scalesAt, addends)) {
      return false;
    }
    for (int i = 0; i < n; i += S.length()) {
      short addend = (short) addends[i / MxScales.GROUP_SIZE];
      ShortVector x = ShortVector.fromMemorySegment(S, source, from + 2L * i, LE);
      ShortVector t = x.and(MAGNITUDE).add(addend);
      ShortVector tie = t.lanewise(VectorOperators.LSHR, 4).and((short) 1);
      ShortVector normal =
          t.add(tie).add((short) (7 - (120 << 7))).lanewise(VectorOperators.LSHR, 4);
      IntVector pairs = t.reinterpretAsInts();
      ShortVector even =
          pairs
              .lanewise(VectorOperators.LSHL, 16)
              .reinterpretAsFloats()
              .add(0x1p14f)
              .reinterpretAsShorts();
      ShortVector odd =
          pairs
              .and(0xFFFF_0000)
              .reinterpretAsFloats()
              .add(0x1p14f)
              .reinterpretAsInts()
              .lanewise(VectorOperators.LSHL, 16)
              .reinterpretAsShorts();
      ShortVector code =
          normal.blend(even.blend(odd, ODD), t.compare(VectorOperators.LT, MIN_NORMAL));
      // Without sign, negative numbers lie above -0.
      ShortVector signed = code.add((short) 0x80, x.compare(VectorOperators.UGT, MINUS_ZERO));
      ((ByteVector) signed.convertShape(VectorOperators.S2B, Shapes.B_HALF, 0))
          .intoMemorySegment(to, at + i, LE);
    }
    return true;
  }
}
