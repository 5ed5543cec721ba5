package dev.quern.engine.kernel.vector;

import dev.quern.engine.kernel.ErrorSums;
import dev.quern.engine.kernel.ScalarKernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Sums of errors in 16 fixed lanes: one pass over all of them with a 512-bit vector, two passes over
 * half of them each with a 256-bit vector.
 *
 * <p>Each loop widens its type while it adds up, so that nothing is stored in between; apart from
 * the two loads the loops are the same.
 */
final class ErrorVectors {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final VectorSpecies<Integer> I = Shapes.I;
  private static final int LANES = ScalarKernels.ERROR_LANES;

  private ErrorVectors() {}

  static void add(
      FloatType type,
      MemorySegment original,
      long originalOffset,
      MemorySegment approximation,
      long approximationOffset,
      int n,
      float relativeBound,
      ErrorSums sums) {
    int whole = n - n % LANES;
    for (int lane = 0; lane < LANES; lane += F.length()) {
      long a = originalOffset + (long) type.bytes() * lane;
      long b = approximationOffset + (long) type.bytes() * lane;
      switch (type) {
        case BF16 -> bf16(original, a, approximation, b, whole, lane, relativeBound, sums);
        case F16 -> f16(original, a, approximation, b, whole, lane, relativeBound, sums);
        case F32 -> f32(original, a, approximation, b, whole, lane, relativeBound, sums);
      }
    }
    sums.addLanes();
    ScalarKernels.addErrorTail(
        type,
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

  private static void bf16(
      MemorySegment original,
      long originalOffset,
      MemorySegment approximation,
      long approximationOffset,
      int whole,
      int lane,
      float relativeBound,
      ErrorSums sums) {
    FloatVector squaredError = FloatVector.zero(F);
    FloatVector squaredOriginal = squaredError;
    FloatVector absoluteError = squaredError;
    FloatVector absoluteOriginal = squaredError;
    IntVector max = IntVector.zero(I);
    FloatVector excess = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    for (int i = 0; i < whole; i += LANES) {
      FloatVector x = FloatLanes.loadBf16(original, originalOffset + 2L * i);
      FloatVector e = FloatLanes.loadBf16(approximation, approximationOffset + 2L * i).sub(x);
      FloatVector magnitude = x.abs();
      FloatVector error = e.abs();
      squaredError = squaredError.add(e.mul(e));
      squaredOriginal = squaredOriginal.add(x.mul(x));
      absoluteError = absoluteError.add(error);
      absoluteOriginal = absoluteOriginal.add(magnitude);
      max = max.max(error.reinterpretAsInts());
      excess = excess.max(error.sub(magnitude.mul(relativeBound)));
    }
    keep(
        squaredError,
        squaredOriginal,
        absoluteError,
        absoluteOriginal,
        max,
        excess,
        lane,
        sums);
  }

  private static void f16(
      MemorySegment original,
      long originalOffset,
      MemorySegment approximation,
      long approximationOffset,
      int whole,
      int lane,
      float relativeBound,
      ErrorSums sums) {
    FloatVector squaredError = FloatVector.zero(F);
    FloatVector squaredOriginal = squaredError;
    FloatVector absoluteError = squaredError;
    FloatVector absoluteOriginal = squaredError;
    IntVector max = IntVector.zero(I);
    FloatVector excess = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    for (int i = 0; i < whole; i += LANES) {
      FloatVector x = FloatLanes.loadF16(original, originalOffset + 2L * i);
      FloatVector e = FloatLanes.loadF16(approximation, approximationOffset + 2L * i).sub(x);
      FloatVector magnitude = x.abs();
      FloatVector error = e.abs();
      squaredError = squaredError.add(e.mul(e));
      squaredOriginal = squaredOriginal.add(x.mul(x));
      absoluteError = absoluteError.add(error);
      absoluteOriginal = absoluteOriginal.add(magnitude);
      max = max.max(error.reinterpretAsInts());
      excess = excess.max(error.sub(magnitude.mul(relativeBound)));
    }
    keep(
        squaredError,
        squaredOriginal,
        absoluteError,
        absoluteOriginal,
        max,
        excess,
        lane,
        sums);
  }

  private static void f32(
      MemorySegment original,
      long originalOffset,
      MemorySegment approximation,
      long approximationOffset,
      int whole,
      int lane,
      float relativeBound,
      ErrorSums sums) {
    FloatVector squaredError = FloatVector.zero(F);
    FloatVector squaredOriginal = squaredError;
    FloatVector absoluteError = squaredError;
    FloatVector absoluteOriginal = squaredError;
    IntVector max = IntVector.zero(I);
    FloatVector excess = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    for (int i = 0; i < whole; i += LANES) {
      FloatVector x = FloatLanes.loadF32(original, originalOffset + 4L * i);
      FloatVector e = FloatLanes.loadF32(approximation, approximationOffset + 4L * i).sub(x);
      FloatVector magnitude = x.abs();
      FloatVector error = e.abs();
      squaredError = squaredError.add(e.mul(e));
      squaredOriginal = squaredOriginal.add(x.mul(x));
      absoluteError = absoluteError.add(error);
      absoluteOriginal = absoluteOriginal.add(magnitude);
      max = max.max(error.reinterpretAsInts());
      excess = excess.max(error.sub(magnitude.mul(relativeBound)));
    }
    keep(
        squaredError,
        squaredOriginal,
        absoluteError,
        absoluteOriginal,
        max,
        excess,
        lane,
        sums);
  }

  private static void keep(
      FloatVector squaredError,
      FloatVector squaredOriginal,
      FloatVector absoluteError,
      FloatVector absoluteOriginal,
      IntVector max,
      FloatVector excess,
      int lane,
      ErrorSums sums) {
    squaredError.intoArray(sums.squaredErrorLanes, lane);
    squaredOriginal.intoArray(sums.squaredOriginalLanes, lane);
    absoluteError.intoArray(sums.absoluteErrorLanes, lane);
    absoluteOriginal.intoArray(sums.absoluteOriginalLanes, lane);
    sums.maxError =
        Math.max(sums.maxError, Float.intBitsToFloat(max.reduceLanes(VectorOperators.MAX)));
    sums.excess = Math.max(sums.excess, excess.reduceLanes(VectorOperators.MAX));
  }
}
