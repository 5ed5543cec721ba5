package dev.quern.engine.kernel.vector;

import dev.quern.engine.kernel.ScalarSweepKernels;
import dev.quern.engine.kernel.SweepKernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;

/**
 * The SIMD provider for columns: whole vectors by the loop that was written for them, the rest by
 * the law.
 */
final class VectorSweepKernels implements SweepKernels {
  private static final SweepKernels LAW = new ScalarSweepKernels();

  @Override
  public void quantizeIntegers(
      int bits,
      MemorySegment column,
      long columnOffset,
      int n,
      MemorySegment scales,
      long scalesOffset,
      MemorySegment zeroPoints,
      long zeroPointsOffset,
      MemorySegment codes,
      long codesOffset,
      MemorySegment levels,
      long levelsOffset) {
    int done =
        SweepRoundingVectors.integers(
            bits,
            column,
            columnOffset,
            n,
            scales,
            scalesOffset,
            zeroPoints,
            zeroPointsOffset,
            codes,
            codesOffset,
            levels,
            levelsOffset);
    if (done < n) {
      long floats = 4L * done;
      LAW.quantizeIntegers(
          bits,
          column,
          columnOffset + floats,
          n - done,
          scales,
          scalesOffset + floats,
          zeroPoints,
          zeroPointsOffset + floats,
          codes,
          codesOffset + done,
          levels,
          levelsOffset + floats);
    }
  }

  @Override
  public void quantizeE4M3(
      MemorySegment column,
      long columnOffset,
      int n,
      MemorySegment scales,
      long scalesOffset,
      MemorySegment codes,
      long codesOffset,
      MemorySegment levels,
      long levelsOffset) {
    int done =
        SweepRoundingVectors.e4m3(
            column,
            columnOffset,
            n,
            scales,
            scalesOffset,
            codes,
            codesOffset,
            levels,
            levelsOffset);
    if (done < n) {
      long floats = 4L * done;
      LAW.quantizeE4M3(
          column,
          columnOffset + floats,
          n - done,
          scales,
          scalesOffset + floats,
          codes,
          codesOffset + done,
          levels,
          levelsOffset + floats);
    }
  }

  @Override
  public void quantizeE2M1(
      MemorySegment column,
      long columnOffset,
      int n,
      MemorySegment scales,
      long scalesOffset,
      MemorySegment codes,
      long codesOffset,
      MemorySegment levels,
      long levelsOffset) {
    int done =
        SweepRoundingVectors.e2m1(
            column,
            columnOffset,
            n,
            scales,
            scalesOffset,
            codes,
            codesOffset,
            levels,
            levelsOffset);
    if (done < n) {
      long floats = 4L * done;
      LAW.quantizeE2M1(
          column,
          columnOffset + floats,
          n - done,
          scales,
          scalesOffset + floats,
          codes,
          codesOffset + done,
          levels,
          levelsOffset + floats);
    }
  }

  @Override
  public void dequantize(
      FloatType type,
      MemorySegment levels,
      long levelsOffset,
      int n,
      MemorySegment scales,
      long scalesOffset) {
    int done =
        switch (type) {
          case BF16 -> SweepDequantizeVectors.bf16(levels, levelsOffset, n, scales, scalesOffset);
          case F16 -> SweepDequantizeVectors.f16(levels, levelsOffset, n, scales, scalesOffset);
          case F32 -> SweepDequantizeVectors.f32(levels, levelsOffset, n, scales, scalesOffset);
        };
    if (done < n) {
      long floats = 4L * done;
      LAW.dequantize(type, levels, levelsOffset + floats, n - done, scales, scalesOffset + floats);
    }
  }

  @Override
  public void errors(
      MemorySegment stored,
      long storedOffset,
      MemorySegment column,
      long columnOffset,
      int n,
      float pivot,
      MemorySegment errors,
      long errorsOffset) {
    int done =
        SweepUpdateVectors.errors(
            stored, storedOffset, column, columnOffset, n, pivot, errors, errorsOffset);
    if (done < n) {
      long floats = 4L * done;
      LAW.errors(
          stored,
          storedOffset + floats,
          column,
          columnOffset + floats,
          n - done,
          pivot,
          errors,
          errorsOffset + floats);
    }
  }

  @Override
  public void update(
      MemorySegment errors,
      long errorsOffset,
      long errorStride,
      int depth,
      MemorySegment factors,
      long factorsOffset,
      long factorStride,
      MemorySegment target,
      long targetOffset,
      long targetStride,
      int columns,
      int n) {
    int vectors = n / Shapes.F.length();
    int done = vectors * Shapes.F.length();
    int j = 0;
    for (; j + 4 <= columns; j += 4) {
      SweepUpdateVectors.four(
          errors,
          errorsOffset,
          errorStride,
          depth,
          factors,
          factorsOffset + 4L * j,
          factorStride,
          target,
          targetOffset + j * targetStride,
          targetStride,
          vectors);
    }
    for (; j < columns; j++) {
      SweepUpdateVectors.one(
          errors,
          errorsOffset,
          errorStride,
          depth,
          factors,
          factorsOffset + 4L * j,
          factorStride,
          target,
          targetOffset + j * targetStride,
          vectors);
    }
    if (done < n) {
      long floats = 4L * done;
      LAW.update(
          errors,
          errorsOffset + floats,
          errorStride,
          depth,
          factors,
          factorsOffset,
          factorStride,
          target,
          targetOffset + floats,
          targetStride,
          columns,
          n - done);
    }
  }

  @Override
  public void addSquares(
      MemorySegment errors,
      long errorsOffset,
      long errorStride,
      int depth,
      MemorySegment sums,
      long sumsOffset,
      int n) {
    int vectors = n / Shapes.F.length();
    SweepUpdateVectors.squares(errors, errorsOffset, errorStride, depth, sums, sumsOffset, vectors);
    int done = vectors * Shapes.F.length();
    if (done < n) {
      long floats = 4L * done;
      LAW.addSquares(
          errors, errorsOffset + floats, errorStride, depth, sums, sumsOffset + floats, n - done);
    }
  }
}
