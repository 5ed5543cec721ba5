package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import dev.quern.engine.kernel.ScalarDecoderKernels;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** The two passes of a softmax over whole groups of 16 elements. */
final class SoftmaxVectors {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final int LANES = ScalarDecoderKernels.LANES;

  private SoftmaxVectors() {}

  /** The largest element, NaN if there is one; which zero is largest does not matter to exp. */
  static float max(MemorySegment x, long offset, int whole) {
    FloatVector max = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    for (int i = 0; i < whole; i += F.length()) {
      max = max.max(FloatVector.fromMemorySegment(F, x, offset + 4L * i, LE));
    }
    return max.reduceLanes(VectorOperators.MAX);
  }

  static void exponentials(MemorySegment x, long offset, int whole, float max, float[] lanes) {
    for (int lane = 0; lane < LANES; lane += F.length()) {
      strided(x, offset + 4L * lane, whole, max, lanes, lane);
    }
  }

  private static void strided(
      MemorySegment x, long offset, int whole, float max, float[] lanes, int lane) {
    FloatVector sum = FloatVector.fromArray(F, lanes, lane);
    for (int i = 0; i < whole; i += LANES) {
      FloatVector e =
          ExpVectors.exp(FloatVector.fromMemorySegment(F, x, offset + 4L * i, LE).sub(max));
      e.intoMemorySegment(x, offset + 4L * i, LE);
      sum = sum.add(e);
    }
    sum.intoArray(lanes, lane);
  }
}
