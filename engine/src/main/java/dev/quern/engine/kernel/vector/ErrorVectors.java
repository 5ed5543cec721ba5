package dev.quern.engine.kernel.vector;

import dev.quern.engine.kernel.ErrorSums;
import dev.quern.engine.kernel.ScalarKernels;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Sums of errors in 32 fixed lanes: one pass over all of them with two 512-bit vectors, two passes
 * over half of them each with two 256-bit vectors.
 */
final class ErrorVectors {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final VectorSpecies<Integer> I = Shapes.I;
  private static final int LANES = ScalarKernels.ERROR_LANES;

  private ErrorVectors() {}

  static void add(
      MemorySegment original,
      long originalOffset,
      MemorySegment approximation,
      long approximationOffset,
      int n,
      float relativeBound,
      ErrorSums sums) {
    int whole = n - n % LANES;
    for (int lane = 0; lane < LANES; lane += 2 * F.length()) {
      addLanes(
          original,
          originalOffset + 4L * lane,
          approximation,
          approximationOffset + 4L * lane,
          whole,
          lane,
          relativeBound,
          sums);
    }
    sums.addLanes();
    ScalarKernels.addErrorTail(
        original,
        originalOffset,
        approximation,
        approximationOffset,
        whole,
        n,
        relativeBound,
        sums);
    sums.count += n;
  }

  private static void addLanes(
      MemorySegment original,
      long originalOffset,
      MemorySegment approximation,
      long approximationOffset,
      int whole,
      int lane,
      float relativeBound,
      ErrorSums sums) {
    FloatVector se0 = FloatVector.zero(F);
    FloatVector se1 = se0;
    FloatVector so0 = se0;
    FloatVector so1 = se0;
    FloatVector ae0 = se0;
    FloatVector ae1 = se0;
    FloatVector ao0 = se0;
    FloatVector ao1 = se0;
    IntVector max = IntVector.zero(I);
    FloatVector excess = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    int second = 4 * F.length();
    for (int i = 0; i < whole; i += LANES) {
      FloatVector x0 = FloatLanes.loadF32(original, originalOffset + 4L * i);
      FloatVector x1 = FloatLanes.loadF32(original, originalOffset + 4L * i + second);
      FloatVector e0 = FloatLanes.loadF32(approximation, approximationOffset + 4L * i).sub(x0);
      FloatVector e1 =
          FloatLanes.loadF32(approximation, approximationOffset + 4L * i + second).sub(x1);
      se0 = se0.add(e0.mul(e0));
      se1 = se1.add(e1.mul(e1));
      so0 = so0.add(x0.mul(x0));
      so1 = so1.add(x1.mul(x1));
      FloatVector a0 = e0.abs();
      FloatVector a1 = e1.abs();
      FloatVector y0 = x0.abs();
      FloatVector y1 = x1.abs();
      ae0 = ae0.add(a0);
      ae1 = ae1.add(a1);
      ao0 = ao0.add(y0);
      ao1 = ao1.add(y1);
      max = max.max(a0.reinterpretAsInts()).max(a1.reinterpretAsInts());
      excess = excess.max(a0.sub(y0.mul(relativeBound))).max(a1.sub(y1.mul(relativeBound)));
    }
    se0.intoArray(sums.squaredErrorLanes, lane);
    se1.intoArray(sums.squaredErrorLanes, lane + F.length());
    so0.intoArray(sums.squaredOriginalLanes, lane);
    so1.intoArray(sums.squaredOriginalLanes, lane + F.length());
    ae0.intoArray(sums.absoluteErrorLanes, lane);
    ae1.intoArray(sums.absoluteErrorLanes, lane + F.length());
    ao0.intoArray(sums.absoluteOriginalLanes, lane);
    ao1.intoArray(sums.absoluteOriginalLanes, lane + F.length());
    sums.maxError =
        Math.max(sums.maxError, Float.intBitsToFloat(max.reduceLanes(VectorOperators.MAX)));
    sums.excess = Math.max(sums.excess, excess.reduceLanes(VectorOperators.MAX));
  }
}
