package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import dev.quern.engine.kernel.ScalarIntKernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Ranges of the groups of a row, as integer maxima over bit patterns: exact in any order, and a NaN
 * survives without a test. Magnitudes are patterns without their sign; the smallest and the largest
 * value are found over keys that order as totalOrder does, {@link ScalarIntKernels#orderedKey}.
 *
 * <p>One accumulator for each end: minima and maxima of integers take a cycle. The loops call no
 * helper of ours, see {@link FloatLanes}; accumulators are arguments, see {@link AbsMaxVectors}.
 */
final class IntRangeVectors {
  private static final VectorSpecies<Short> S = Shapes.S;
  private static final VectorSpecies<Integer> I = Shapes.I;
  private static final short LARGEST_KEY = Short.MAX_VALUE;
  private static final short SMALLEST_KEY = Short.MIN_VALUE;

  private IntRangeVectors() {}

  /** For bf16 and f16 alike. */
  static void absMaxShorts(MemorySegment source, long offset, int n, int groupSize, int[] maxBits) {
    int group = 0;
    for (int begin = 0; begin < n; begin += groupSize) {
      int length = Math.min(groupSize, n - begin);
      maxBits[group++] = AbsMaxVectors.shorts(source, offset + 2L * begin, length);
    }
  }

  static void absMaxInts(MemorySegment source, long offset, int n, int groupSize, int[] maxBits) {
    int group = 0;
    for (int begin = 0; begin < n; begin += groupSize) {
      int length = Math.min(groupSize, n - begin);
      maxBits[group++] = AbsMaxVectors.ints(source, offset + 4L * begin, length);
    }
  }

  /** For bf16 and f16, whose bits order alike. */
  static void rangeShorts(
      FloatType type,
      MemorySegment source,
      long offset,
      int n,
      int groupSize,
      float[] min,
      float[] max) {
    int lanes = S.length();
    int group = 0;
    for (int begin = 0; begin < n; begin += groupSize) {
      int end = Math.min(begin + groupSize, n);
      ShortVector min0 = ShortVector.broadcast(S, LARGEST_KEY);
      ShortVector max0 = ShortVector.broadcast(S, SMALLEST_KEY);
      int i = begin;
      for (; i <= end - lanes; i += lanes) {
        ShortVector bits = ShortVector.fromMemorySegment(S, source, offset + 2L * i, LE);
        ShortVector key =
            bits.lanewise(VectorOperators.ASHR, 15)
                .and((short) 0x7FFF)
                .lanewise(VectorOperators.XOR, bits);
        min0 = key.min(min0);
        max0 = key.max(max0);
      }
      int smallest =
          ShortVector.broadcast(S, LARGEST_KEY).min(min0).reduceLanes(VectorOperators.MIN);
      int largest =
          ShortVector.broadcast(S, SMALLEST_KEY).max(max0).reduceLanes(VectorOperators.MAX);
      for (; i < end; i++) {
        int key = ScalarIntKernels.orderedKey(type, type.loadBits(source, offset + 2L * i));
        smallest = Math.min(smallest, key);
        largest = Math.max(largest, key);
      }
      min[group] = ScalarIntKernels.valueOfKey(type, smallest);
      max[group] = ScalarIntKernels.valueOfKey(type, largest);
      group++;
    }
  }

  static void rangeInts(
      MemorySegment source, long offset, int n, int groupSize, float[] min, float[] max) {
    int lanes = I.length();
    int group = 0;
    for (int begin = 0; begin < n; begin += groupSize) {
      int end = Math.min(begin + groupSize, n);
      IntVector min0 = IntVector.broadcast(I, Integer.MAX_VALUE);
      IntVector max0 = IntVector.broadcast(I, Integer.MIN_VALUE);
      int i = begin;
      for (; i <= end - lanes; i += lanes) {
        IntVector bits = IntVector.fromMemorySegment(I, source, offset + 4L * i, LE);
        IntVector key =
            bits.lanewise(VectorOperators.ASHR, 31)
                .and(0x7FFF_FFFF)
                .lanewise(VectorOperators.XOR, bits);
        min0 = key.min(min0);
        max0 = key.max(max0);
      }
      int smallest =
          IntVector.broadcast(I, Integer.MAX_VALUE).min(min0).reduceLanes(VectorOperators.MIN);
      int largest =
          IntVector.broadcast(I, Integer.MIN_VALUE).max(max0).reduceLanes(VectorOperators.MAX);
      for (; i < end; i++) {
        int bits = FloatType.F32.loadBits(source, offset + 4L * i);
        int key = ScalarIntKernels.orderedKey(FloatType.F32, bits);
        smallest = Math.min(smallest, key);
        largest = Math.max(largest, key);
      }
      min[group] = ScalarIntKernels.valueOfKey(FloatType.F32, smallest);
      max[group] = ScalarIntKernels.valueOfKey(FloatType.F32, largest);
      group++;
    }
  }
}
