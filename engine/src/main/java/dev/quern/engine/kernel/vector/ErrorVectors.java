package dev.quern.engine.kernel.vector;

import dev.quern.engine.kernel.ErrorSums;
import dev.quern.engine.kernel.ScalarKernels;
import dev.quern.engine.kernel.ThreadBuffer;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Sums of errors in 16 fixed lanes: one pass over all of them with a 512-bit vector, two passes
 * over half of them each with a 256-bit vector.
 *
 * <p>The loops for bf16 and f32 are the same apart from the two loads. Widening f16 takes too many
 * operations to be part of such a loop; it goes through small buffers.
 */
final class ErrorVectors {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final VectorSpecies<Integer> I = Shapes.I;
  private static final int LANES = ScalarKernels.ERROR_LANES;

  private static final int PIECE = 1024;
  private static final ThreadBuffer WIDE = new ThreadBuffer();

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
    sums.clearLanes();
    if (type == FloatType.F16) {
      f16(original, originalOffset, approximation, approximationOffset, whole, relativeBound, sums);
    } else {
      lanes(
          type,
          original,
          originalOffset,
          approximation,
          approximationOffset,
          whole,
          relativeBound,
          sums);
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

  private static void f16(
      MemorySegment original,
      long originalOffset,
      MemorySegment approximation,
      long approximationOffset,
      int whole,
      float relativeBound,
      ErrorSums sums) {
    MemorySegment wide = WIDE.atLeast(8L * PIECE);
    for (int done = 0; done < whole; done += PIECE) {
      int m = Math.min(PIECE, whole - done);
      ConvertVectors.f16ToF32(original, originalOffset + 2L * done, m, wide, 0);
      ConvertVectors.f16ToF32(approximation, approximationOffset + 2L * done, m, wide, 4L * PIECE);
      lanes(FloatType.F32, wide, 0, wide, 4L * PIECE, m, relativeBound, sums);
    }
  }

  private static void lanes(
      FloatType type,
      MemorySegment original,
      long originalOffset,
      MemorySegment approximation,
      long approximationOffset,
      int whole,
      float relativeBound,
      ErrorSums sums) {
    for (int lane = 0; lane < LANES; lane += F.length()) {
      long a = originalOffset + (long) type.bytes() * lane;
      long b = approximationOffset + (long) type.bytes() * lane;
      if (type == FloatType.BF16) {
        bf16(original, a, approximation, b, whole, lane, relativeBound, sums);
      } else {
        f32(original, a, approximation, b, whole, lane, relativeBound, sums);
      }
    }
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
    FloatVector squaredError = FloatVector.fromArray(F, sums.squaredErrorLanes, lane);
    FloatVector squaredOriginal = FloatVector.fromArray(F, sums.squaredOriginalLanes, lane);
    FloatVector absoluteError = FloatVector.fromArray(F, sums.absoluteErrorLanes, lane);
    FloatVector absoluteOriginal = FloatVector.fromArray(F, sums.absoluteOriginalLanes, lane);
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
    squaredError.intoArray(sums.squaredErrorLanes, lane);
    squaredOriginal.intoArray(sums.squaredOriginalLanes, lane);
    absoluteError.intoArray(sums.absoluteErrorLanes, lane);
    absoluteOriginal.intoArray(sums.absoluteOriginalLanes, lane);
    sums.maxError =
        Math.max(sums.maxError, Float.intBitsToFloat(max.reduceLanes(VectorOperators.MAX)));
    sums.excess = Math.max(sums.excess, excess.reduceLanes(VectorOperators.MAX));
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
    FloatVector squaredError = FloatVector.fromArray(F, sums.squaredErrorLanes, lane);
    FloatVector squaredOriginal = FloatVector.fromArray(F, sums.squaredOriginalLanes, lane);
    FloatVector absoluteError = FloatVector.fromArray(F, sums.absoluteErrorLanes, lane);
    FloatVector absoluteOriginal = FloatVector.fromArray(F, sums.absoluteOriginalLanes, lane);
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
    squaredError.intoArray(sums.squaredErrorLanes, lane);
    squaredOriginal.intoArray(sums.squaredOriginalLanes, lane);
    absoluteError.intoArray(sums.absoluteErrorLanes, lane);
    absoluteOriginal.intoArray(sums.absoluteOriginalLanes, lane);
    sums.maxError =
        Math.max(sums.maxError, Float.intBitsToFloat(max.reduceLanes(VectorOperators.MAX)));
    sums.excess = Math.max(sums.excess, excess.reduceLanes(VectorOperators.MAX));
  }
}
