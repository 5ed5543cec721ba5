package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import dev.quern.engine.annotation.SuppressForbidden;
import dev.quern.engine.kernel.ScalarDecoderKernels;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** The two passes of RMSNorm over whole groups of 16 elements. */
final class NormVectors {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final int LANES = ScalarDecoderKernels.LANES;

  private NormVectors() {}

  static void addSquares(MemorySegment x, long offset, int whole, float[] lanes) {
    for (int lane = 0; lane < LANES; lane += F.length()) {
      strided(x, offset + 4L * lane, whole, lanes, lane);
    }
  }

  @SuppressForbidden(reason = "the law of sums of squares is defined with fma")
  private static void strided(MemorySegment x, long offset, int whole, float[] lanes, int lane) {
    FloatVector sum = FloatVector.fromArray(F, lanes, lane);
    for (int i = 0; i < whole; i += LANES) {
      FloatVector value = FloatVector.fromMemorySegment(F, x, offset + 4L * i, LE);
      sum = value.fma(value, sum);
    }
    sum.intoArray(lanes, lane);
  }

  static void normalise(
      MemorySegment x,
      long xOffset,
      float r,
      MemorySegment weight,
      long weightOffset,
      int whole,
      MemorySegment target,
      long targetOffset) {
    for (int i = 0; i < whole; i += F.length()) {
      FloatVector value = FloatVector.fromMemorySegment(F, x, xOffset + 4L * i, LE).mul(r);
      value
          .mul(FloatVector.fromMemorySegment(F, weight, weightOffset + 4L * i, LE))
          .intoMemorySegment(target, targetOffset + 4L * i, LE);
    }
  }
}
