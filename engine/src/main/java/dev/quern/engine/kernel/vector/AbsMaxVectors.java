package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Largest magnitudes, as an integer maximum over sign-less bit patterns: exact in any order, and a
 * NaN, whose pattern is the largest, survives without a test.
 *
 * <p>Four accumulators hide the latency of the maximum. A vector that was just made takes an
 * accumulator as its argument, never the other way round: of what a loop hands on, C2 knows only
 * the abstract class, and has to guess from profiles that all loops of a JVM share which method of
 * it is called. A wrong guess makes objects of the vectors.
 */
final class AbsMaxVectors {
  private static final VectorSpecies<Short> S = Shapes.S;
  private static final VectorSpecies<Integer> I = Shapes.I;

  private AbsMaxVectors() {}

  /** For bf16 and f16 alike. */
  static int shorts(MemorySegment source, long offset, int n) {
    int lanes = S.length();
    ShortVector m0 = ShortVector.zero(S);
    ShortVector m1 = m0;
    ShortVector m2 = m0;
    ShortVector m3 = m0;
    int i = 0;
    for (int bound = n - n % (4 * lanes); i < bound; i += 4 * lanes) {
      m0 = magnitudes(source, offset + 2L * i).max(m0);
      m1 = magnitudes(source, offset + 2L * (i + lanes)).max(m1);
      m2 = magnitudes(source, offset + 2L * (i + 2 * lanes)).max(m2);
      m3 = magnitudes(source, offset + 2L * (i + 3 * lanes)).max(m3);
    }
    for (int bound = S.loopBound(n); i < bound; i += lanes) {
      m0 = magnitudes(source, offset + 2L * i).max(m0);
    }
    int max = ShortVector.zero(S).max(m0).max(m1).max(m2).max(m3).reduceLanes(VectorOperators.MAX);
    for (; i < n; i++) {
      max = Math.max(max, FloatType.BF16.loadBits(source, offset + 2L * i) & 0x7FFF);
    }
    return max;
  }

  static int ints(MemorySegment source, long offset, int n) {
    int lanes = I.length();
    IntVector m0 = IntVector.zero(I);
    IntVector m1 = m0;
    IntVector m2 = m0;
    IntVector m3 = m0;
    int i = 0;
    for (int bound = n - n % (4 * lanes); i < bound; i += 4 * lanes) {
      m0 = intMagnitudes(source, offset + 4L * i).max(m0);
      m1 = intMagnitudes(source, offset + 4L * (i + lanes)).max(m1);
      m2 = intMagnitudes(source, offset + 4L * (i + 2 * lanes)).max(m2);
      m3 = intMagnitudes(source, offset + 4L * (i + 3 * lanes)).max(m3);
    }
    for (int bound = I.loopBound(n); i < bound; i += lanes) {
      m0 = intMagnitudes(source, offset + 4L * i).max(m0);
    }
    int max = IntVector.zero(I).max(m0).max(m1).max(m2).max(m3).reduceLanes(VectorOperators.MAX);
    for (; i < n; i++) {
      max = Math.max(max, FloatType.F32.loadBits(source, offset + 4L * i) & 0x7FFF_FFFF);
    }
    return max;
  }

  private static ShortVector magnitudes(MemorySegment source, long offset) {
    return ShortVector.fromMemorySegment(S, source, offset, LE).and((short) 0x7FFF);
  }

  private static IntVector intMagnitudes(MemorySegment source, long offset) {
    return IntVector.fromMemorySegment(I, source, offset, LE).and(0x7FFF_FFFF);
  }
}
