package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Weights below a threshold become zero; magnitudes that equal one are counted; scores of Wanda.
 *
 * <p>Magnitudes and thresholds have no sign bit, so {@code magnitude < threshold} is the sign of
 * their difference. Each loop gives the number of elements done, whole vectors.
 */
final class PruneThresholdVectors {
  private static final VectorSpecies<Short> S = Shapes.S;
  private static final VectorSpecies<Integer> I = Shapes.I;
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final VectorSpecies<Short> S_HALF = Shapes.S_HALF;

  /** Vectors that are added up in 16-bit lanes before they could overflow. */
  private static final int COUNTED = Short.MAX_VALUE;

  private PruneThresholdVectors() {}

  /** For bf16 and f16; a threshold of 0x8000 prunes all. */
  static int shorts(
      MemorySegment source, long from, int n, int threshold, MemorySegment target, long to) {
    ShortVector lowest = ShortVector.broadcast(S, (short) (threshold - 1));
    int i = 0;
    for (int bound = S.loopBound(n); i < bound; i += S.length()) {
      ShortVector bits = ShortVector.fromMemorySegment(S, source, from + 2L * i, LE);
      ShortVector keep = lowest.sub(bits.and((short) 0x7FFF)).lanewise(VectorOperators.ASHR, 15);
      bits.and(keep).intoMemorySegment(target, to + 2L * i, LE);
    }
    return i;
  }

  /** Magnitudes of binary32, which are the weights or lie beside them. */
  static int ints(
      MemorySegment source,
      long from,
      MemorySegment scores,
      long scoresFrom,
      int n,
      int threshold,
      MemorySegment target,
      long to) {
    IntVector lowest = IntVector.broadcast(I, threshold - 1);
    int i = 0;
    for (int bound = I.loopBound(n); i < bound; i += I.length()) {
      IntVector score =
          IntVector.fromMemorySegment(I, scores, scoresFrom + 4L * i, LE).and(0x7FFF_FFFF);
      IntVector keep = lowest.sub(score).lanewise(VectorOperators.ASHR, 31);
      IntVector bits = IntVector.fromMemorySegment(I, source, from + 4L * i, LE);
      bits.and(keep).intoMemorySegment(target, to + 4L * i, LE);
    }
    return i;
  }

  /** Weights of 16 bits beside scores of 32. */
  static int shortsByScore(
      MemorySegment source,
      long from,
      MemorySegment scores,
      long scoresFrom,
      int n,
      int threshold,
      MemorySegment target,
      long to) {
    IntVector lowest = IntVector.broadcast(I, threshold - 1);
    int i = 0;
    for (int bound = I.loopBound(n); i < bound; i += I.length()) {
      IntVector score =
          IntVector.fromMemorySegment(I, scores, scoresFrom + 4L * i, LE).and(0x7FFF_FFFF);
      IntVector keep = lowest.sub(score).lanewise(VectorOperators.ASHR, 31);
      ShortVector narrow = (ShortVector) keep.convertShape(VectorOperators.I2S, S_HALF, 0);
      ShortVector bits = ShortVector.fromMemorySegment(S_HALF, source, from + 2L * i, LE);
      bits.and(narrow).intoMemorySegment(target, to + 2L * i, LE);
    }
    return i;
  }

  /** Counts for bf16 and f16 alike. */
  static int countShorts(MemorySegment source, long from, int n, int magnitude) {
    ShortVector wanted = ShortVector.broadcast(S, (short) magnitude);
    ShortVector zero = ShortVector.zero(S);
    int count = 0;
    int i = 0;
    int bound = S.loopBound(n);
    while (i < bound) {
      ShortVector counts = zero;
      int piece = (int) Math.min(bound, i + (long) COUNTED * S.length());
      for (; i < piece; i += S.length()) {
        ShortVector difference =
            ShortVector.fromMemorySegment(S, source, from + 2L * i, LE)
                .and((short) 0x7FFF)
                .lanewise(VectorOperators.XOR, wanted);
        // Without a sign bit, only zero has one after a one is taken away: -1 where they are equal.
        // The new vector takes the sum as its argument, see AbsMaxVectors.
        counts = difference.sub((short) 1).lanewise(VectorOperators.ASHR, 15).add(counts);
      }
      for (int lane = 0; lane < S.length(); lane += I.length()) {
        IntVector wide = (IntVector) counts.convertShape(VectorOperators.S2I, I, lane / I.length());
        count -= wide.reduceLanes(VectorOperators.ADD);
      }
    }
    for (; i < n; i++) {
      count += (FloatType.BF16.loadBits(source, from + 2L * i) & 0x7FFF) == magnitude ? 1 : 0;
    }
    return count;
  }

  static int countInts(MemorySegment source, long from, int n, int magnitude) {
    IntVector wanted = IntVector.broadcast(I, magnitude);
    IntVector counts = IntVector.zero(I);
    int i = 0;
    for (int bound = I.loopBound(n); i < bound; i += I.length()) {
      IntVector difference =
          IntVector.fromMemorySegment(I, source, from + 4L * i, LE)
              .and(0x7FFF_FFFF)
              .lanewise(VectorOperators.XOR, wanted);
      counts = difference.sub(1).lanewise(VectorOperators.ASHR, 31).add(counts);
    }
    int count = -IntVector.zero(I).add(counts).reduceLanes(VectorOperators.ADD);
    for (; i < n; i++) {
      count += (FloatType.F32.loadBits(source, from + 4L * i) & 0x7FFF_FFFF) == magnitude ? 1 : 0;
    }
    return count;
  }

  static int scoresBf16(
      MemorySegment source, long from, int n, float[] columnScales, MemorySegment to, long at) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatVector scale = FloatVector.fromArray(F, columnScales, i);
      FloatVector weight = FloatLanes.loadBf16(source, from + 2L * i);
      FloatLanes.storeF32(weight.abs().mul(scale), to, at + 4L * i);
    }
    return i;
  }

  static int scoresF16(
      MemorySegment source, long from, int n, float[] columnScales, MemorySegment to, long at) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatVector scale = FloatVector.fromArray(F, columnScales, i);
      FloatVector weight = FloatLanes.loadF16(source, from + 2L * i);
      FloatLanes.storeF32(weight.abs().mul(scale), to, at + 4L * i);
    }
    return i;
  }

  static int scoresF32(
      MemorySegment source, long from, int n, float[] columnScales, MemorySegment to, long at) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatVector scale = FloatVector.fromArray(F, columnScales, i);
      FloatVector weight = FloatLanes.loadF32(source, from + 4L * i);
      FloatLanes.storeF32(weight.abs().mul(scale), to, at + 4L * i);
    }
    return i;
  }
}
