package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Largest magnitudes of groups of 16 and 32, as integers; see {@link AbsMaxVectors}. */
final class GroupMaxVectors {
  private static final VectorSpecies<Short> S16 = Shapes.S16;
  private static final VectorSpecies<Integer> I = Shapes.I;

  private GroupMaxVectors() {}

  /** For bf16 and f16 alike. */
  static void shorts16(MemorySegment source, long offset, int groups, int[] max) {
    for (int g = 0; g < groups; g++) {
      max[g] = magnitudes(source, offset + 32L * g).reduceLanes(VectorOperators.MAX);
    }
  }

  static void shorts32(MemorySegment source, long offset, int groups, int[] max) {
    for (int g = 0; g < groups; g++) {
      ShortVector first = magnitudes(source, offset + 64L * g);
      ShortVector second = magnitudes(source, offset + 64L * g + 32);
      max[g] = first.max(second).reduceLanes(VectorOperators.MAX);
    }
  }

  /**
   * @param groupSize a multiple of the lanes of an int vector
   */
  static void ints(MemorySegment source, long offset, int groups, int groupSize, int[] max) {
    for (int g = 0; g < groups; g++) {
      IntVector largest = IntVector.zero(I);
      for (int i = 0; i < groupSize; i += I.length()) {
        long at = offset + 4L * ((long) g * groupSize + i);
        largest = largest.max(IntVector.fromMemorySegment(I, source, at, LE).and(0x7FFF_FFFF));
      }
      max[g] = largest.reduceLanes(VectorOperators.MAX);
    }
  }

  private static ShortVector magnitudes(MemorySegment source, long offset) {
    return ShortVector.fromMemorySegment(S16, source, offset, LE).and((short) 0x7FFF);
  }
}
