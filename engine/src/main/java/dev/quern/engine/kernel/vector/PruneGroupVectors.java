package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * The smallest of each group of 4 or 8 neighbours become zero.
 *
 * <p>Every lane finds its rank in its group, the number of elements that are pruned before it, by
 * comparing itself with every other: the group is turned by one place, two, and so on. Magnitudes
 * have no sign bit, so {@code other < mine} is the sign of a difference, and {@code other <= mine}
 * that of the difference less one, which is what ties ask for where the other has the lower index.
 * So there is no mask in the loops, and nothing that AVX2 lacks.
 *
 * <p>Four shorts turn as one 64-bit lane rotates. A group of 8 shorts is two such lanes: the other
 * half comes by a swap, and turns likewise. Ints turn by shuffles.
 */
final class PruneGroupVectors {
  private static final VectorSpecies<Short> S = Shapes.S;
  private static final VectorSpecies<Integer> I = Shapes.I;
  private static final VectorSpecies<Long> L = Shapes.L;
  private static final VectorSpecies<Short> S_HALF = Shapes.S_HALF;

  // 1 in the lanes to which a group turned by R places brings an element of lower index.
  private static final ShortVector LOWER_1 = lowerShorts(1, 4);
  private static final ShortVector LOWER_2 = lowerShorts(2, 4);
  private static final ShortVector LOWER_3 = lowerShorts(3, 4);
  // The same for the other half of a group of 8: all lanes of the second half.
  private static final ShortVector LOWER_HALF = lowerShorts(4, 8);
  private static final VectorShuffle<Long> SWAP = VectorShuffle.fromOp(L, lane -> lane ^ 1);

  private static final VectorShuffle<Integer> TURN_1 = turn(1, 4);
  private static final VectorShuffle<Integer> TURN_2 = turn(2, 4);
  private static final VectorShuffle<Integer> TURN_3 = turn(3, 4);
  private static final IntVector LOWER_INTS_1 = lowerInts(1, 4);
  private static final IntVector LOWER_INTS_2 = lowerInts(2, 4);
  private static final IntVector LOWER_INTS_3 = lowerInts(3, 4);

  private static final VectorShuffle<Integer> TURN_1_OF_8 = turn(1, 8);
  private static final VectorShuffle<Integer> TURN_2_OF_8 = turn(2, 8);
  private static final VectorShuffle<Integer> TURN_3_OF_8 = turn(3, 8);
  private static final VectorShuffle<Integer> TURN_4_OF_8 = turn(4, 8);
  private static final VectorShuffle<Integer> TURN_5_OF_8 = turn(5, 8);
  private static final VectorShuffle<Integer> TURN_6_OF_8 = turn(6, 8);
  private static final VectorShuffle<Integer> TURN_7_OF_8 = turn(7, 8);
  private static final IntVector LOWER_INTS_1_OF_8 = lowerInts(1, 8);
  private static final IntVector LOWER_INTS_2_OF_8 = lowerInts(2, 8);
  private static final IntVector LOWER_INTS_3_OF_8 = lowerInts(3, 8);
  private static final IntVector LOWER_INTS_4_OF_8 = lowerInts(4, 8);
  private static final IntVector LOWER_INTS_5_OF_8 = lowerInts(5, 8);
  private static final IntVector LOWER_INTS_6_OF_8 = lowerInts(6, 8);
  private static final IntVector LOWER_INTS_7_OF_8 = lowerInts(7, 8);

  private PruneGroupVectors() {}

  private static ShortVector lowerShorts(int turn, int group) {
    short[] lanes = new short[S.length()];
    for (int lane = 0; lane < lanes.length; lane++) {
      lanes[lane] = (short) (lane % group >= turn ? 1 : 0);
    }
    return ShortVector.fromArray(S, lanes, 0);
  }

  private static IntVector lowerInts(int turn, int group) {
    int[] lanes = new int[I.length()];
    for (int lane = 0; lane < lanes.length; lane++) {
      lanes[lane] = lane % group >= turn ? 1 : 0;
    }
    return IntVector.fromArray(I, lanes, 0);
  }

  private static VectorShuffle<Integer> turn(int places, int group) {
    return VectorShuffle.fromOp(
        I, lane -> lane - lane % group + Math.floorMod(lane % group - places, group));
  }

  /** For bf16 and f16, groups of 4. Gives the number of elements done, whole vectors. */
  static int fourShorts(
      MemorySegment source, long from, int n, int prune, MemorySegment target, long to) {
    ShortVector last = ShortVector.broadcast(S, (short) (prune - 1));
    int i = 0;
    for (int bound = S.loopBound(n); i < bound; i += S.length()) {
      ShortVector bits = ShortVector.fromMemorySegment(S, source, from + 2L * i, LE);
      ShortVector mine = bits.and((short) 0x7FFF);
      LongVector group = mine.reinterpretAsLongs();
      ShortVector other1 = group.lanewise(VectorOperators.ROL, 16).reinterpretAsShorts();
      ShortVector other2 = group.lanewise(VectorOperators.ROL, 32).reinterpretAsShorts();
      ShortVector other3 = group.lanewise(VectorOperators.ROL, 48).reinterpretAsShorts();
      ShortVector before =
          other1
              .sub(mine)
              .sub(LOWER_1)
              .lanewise(VectorOperators.ASHR, 15)
              .add(other2.sub(mine).sub(LOWER_2).lanewise(VectorOperators.ASHR, 15))
              .add(other3.sub(mine).sub(LOWER_3).lanewise(VectorOperators.ASHR, 15));
      // "before" is the rank with a minus; what is kept has a rank above the last one pruned.
      ShortVector keep = last.add(before).lanewise(VectorOperators.ASHR, 15);
      bits.and(keep).intoMemorySegment(target, to + 2L * i, LE);
    }
    return i;
  }

  /** For bf16 and f16, groups of 8. */
  static int eightShorts(
      MemorySegment source, long from, int n, int prune, MemorySegment target, long to) {
    ShortVector last = ShortVector.broadcast(S, (short) (prune - 1));
    int i = 0;
    for (int bound = S.loopBound(n); i < bound; i += S.length()) {
      ShortVector bits = ShortVector.fromMemorySegment(S, source, from + 2L * i, LE);
      ShortVector mine = bits.and((short) 0x7FFF);
      LongVector half = mine.reinterpretAsLongs();
      LongVector rest = half.rearrange(SWAP);
      ShortVector other1 = half.lanewise(VectorOperators.ROL, 16).reinterpretAsShorts();
      ShortVector other2 = half.lanewise(VectorOperators.ROL, 32).reinterpretAsShorts();
      ShortVector other3 = half.lanewise(VectorOperators.ROL, 48).reinterpretAsShorts();
      ShortVector other4 = rest.reinterpretAsShorts();
      ShortVector other5 = rest.lanewise(VectorOperators.ROL, 16).reinterpretAsShorts();
      ShortVector other6 = rest.lanewise(VectorOperators.ROL, 32).reinterpretAsShorts();
      ShortVector other7 = rest.lanewise(VectorOperators.ROL, 48).reinterpretAsShorts();
      ShortVector before =
          other1
              .sub(mine)
              .sub(LOWER_1)
              .lanewise(VectorOperators.ASHR, 15)
              .add(other2.sub(mine).sub(LOWER_2).lanewise(VectorOperators.ASHR, 15))
              .add(other3.sub(mine).sub(LOWER_3).lanewise(VectorOperators.ASHR, 15))
              .add(other4.sub(mine).sub(LOWER_HALF).lanewise(VectorOperators.ASHR, 15))
              .add(other5.sub(mine).sub(LOWER_HALF).lanewise(VectorOperators.ASHR, 15))
              .add(other6.sub(mine).sub(LOWER_HALF).lanewise(VectorOperators.ASHR, 15))
              .add(other7.sub(mine).sub(LOWER_HALF).lanewise(VectorOperators.ASHR, 15));
      ShortVector keep = last.add(before).lanewise(VectorOperators.ASHR, 15);
      bits.and(keep).intoMemorySegment(target, to + 2L * i, LE);
    }
    return i;
  }

  /** Groups of 4 magnitudes of binary32, which are the weights or lie beside them. */
  static int fourInts(
      MemorySegment source,
      long from,
      MemorySegment scores,
      long scoresFrom,
      int n,
      int prune,
      MemorySegment target,
      long to) {
    IntVector last = IntVector.broadcast(I, prune - 1);
    int i = 0;
    for (int bound = I.loopBound(n); i < bound; i += I.length()) {
      IntVector keep = keepOfFour(scores, scoresFrom + 4L * i, last);
      IntVector bits = IntVector.fromMemorySegment(I, source, from + 4L * i, LE);
      bits.and(keep).intoMemorySegment(target, to + 4L * i, LE);
    }
    return i;
  }

  /** Groups of 8 magnitudes of binary32. */
  static int eightInts(
      MemorySegment source,
      long from,
      MemorySegment scores,
      long scoresFrom,
      int n,
      int prune,
      MemorySegment target,
      long to) {
    IntVector last = IntVector.broadcast(I, prune - 1);
    int i = 0;
    for (int bound = I.loopBound(n); i < bound; i += I.length()) {
      IntVector keep = keepOfEight(scores, scoresFrom + 4L * i, last);
      IntVector bits = IntVector.fromMemorySegment(I, source, from + 4L * i, LE);
      bits.and(keep).intoMemorySegment(target, to + 4L * i, LE);
    }
    return i;
  }

  /** Weights of 16 bits beside scores of 32, groups of 4. */
  static int fourShortsByScore(
      MemorySegment source,
      long from,
      MemorySegment scores,
      long scoresFrom,
      int n,
      int prune,
      MemorySegment target,
      long to) {
    IntVector last = IntVector.broadcast(I, prune - 1);
    int i = 0;
    for (int bound = I.loopBound(n); i < bound; i += I.length()) {
      IntVector keep = keepOfFour(scores, scoresFrom + 4L * i, last);
      ShortVector narrow = (ShortVector) keep.convertShape(VectorOperators.I2S, S_HALF, 0);
      ShortVector bits = ShortVector.fromMemorySegment(S_HALF, source, from + 2L * i, LE);
      bits.and(narrow).intoMemorySegment(target, to + 2L * i, LE);
    }
    return i;
  }

  /** Weights of 16 bits beside scores of 32, groups of 8. */
  static int eightShortsByScore(
      MemorySegment source,
      long from,
      MemorySegment scores,
      long scoresFrom,
      int n,
      int prune,
      MemorySegment target,
      long to) {
    IntVector last = IntVector.broadcast(I, prune - 1);
    int i = 0;
    for (int bound = I.loopBound(n); i < bound; i += I.length()) {
      IntVector keep = keepOfEight(scores, scoresFrom + 4L * i, last);
      ShortVector narrow = (ShortVector) keep.convertShape(VectorOperators.I2S, S_HALF, 0);
      ShortVector bits = ShortVector.fromMemorySegment(S_HALF, source, from + 2L * i, LE);
      bits.and(narrow).intoMemorySegment(target, to + 2L * i, LE);
    }
    return i;
  }

  /** All ones in the lanes that are kept. */
  private static IntVector keepOfFour(MemorySegment scores, long at, IntVector last) {
    IntVector mine = IntVector.fromMemorySegment(I, scores, at, LE).and(0x7FFF_FFFF);
    return before(mine.rearrange(TURN_1), mine, LOWER_INTS_1)
        .add(before(mine.rearrange(TURN_2), mine, LOWER_INTS_2))
        .add(before(mine.rearrange(TURN_3), mine, LOWER_INTS_3))
        .add(last)
        .lanewise(VectorOperators.ASHR, 31);
  }

  private static IntVector keepOfEight(MemorySegment scores, long at, IntVector last) {
    IntVector mine = IntVector.fromMemorySegment(I, scores, at, LE).and(0x7FFF_FFFF);
    return before(mine.rearrange(TURN_1_OF_8), mine, LOWER_INTS_1_OF_8)
        .add(before(mine.rearrange(TURN_2_OF_8), mine, LOWER_INTS_2_OF_8))
        .add(before(mine.rearrange(TURN_3_OF_8), mine, LOWER_INTS_3_OF_8))
        .add(before(mine.rearrange(TURN_4_OF_8), mine, LOWER_INTS_4_OF_8))
        .add(before(mine.rearrange(TURN_5_OF_8), mine, LOWER_INTS_5_OF_8))
        .add(before(mine.rearrange(TURN_6_OF_8), mine, LOWER_INTS_6_OF_8))
        .add(before(mine.rearrange(TURN_7_OF_8), mine, LOWER_INTS_7_OF_8))
        .add(last)
        .lanewise(VectorOperators.ASHR, 31);
  }

  /** -1 where the other is pruned first. */
  private static IntVector before(IntVector other, IntVector mine, IntVector lower) {
    return other.sub(mine).sub(lower).lanewise(VectorOperators.ASHR, 31);
  }
}
