package dev.quern.engine.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.engine.annotation.SuppressForbidden;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp4E2M1;
import dev.quern.engine.numeric.Fp8E4M3;
import java.lang.foreign.MemorySegment;

/**
 * The definition of {@link SweepKernels}: one obvious loop each, over the laws that round a matrix.
 */
public final class ScalarSweepKernels implements SweepKernels {
  /** The kernels have no state. */
  public ScalarSweepKernels() {}

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
    IntGroups row = IntGroups.asymmetric(bits, 1, 1);
    for (int i = 0; i < n; i++) {
      row.scales()[0] = load(scales, scalesOffset, i);
      row.zeroPoints()[0] = load(zeroPoints, zeroPointsOffset, i);
      float x = load(column, columnOffset, i);
      byte code = ScalarIntKernels.quantize(FloatType.F32, x, row, 0);
      codes.set(JAVA_BYTE, codesOffset + i, code);
      store(levels, levelsOffset, i, code - row.zeroPoint(0));
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
    for (int i = 0; i < n; i++) {
      float x = load(column, columnOffset, i);
      float scale = load(scales, scalesOffset, i);
      byte code = ScalarKernels.quantizeE4M3(FloatType.F32, x, scale);
      codes.set(JAVA_BYTE, codesOffset + i, code);
      store(levels, levelsOffset, i, Fp8E4M3.decode(code));
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
    for (int i = 0; i < n; i++) {
      float x = load(column, columnOffset, i);
      float scale = load(scales, scalesOffset, i);
      int code = ScalarFp4Kernels.quantizeE2M1(FloatType.F32, x, scale, false);
      codes.set(JAVA_BYTE, codesOffset + i, (byte) code);
      store(levels, levelsOffset, i, Fp4E2M1.decode(code));
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
    for (int i = 0; i < n; i++) {
      float product = load(levels, levelsOffset, i) * load(scales, scalesOffset, i);
      store(levels, levelsOffset, i, type.round(ScalarKernels.canonical(product)));
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
    for (int i = 0; i < n; i++) {
      float change = load(stored, storedOffset, i) - load(column, columnOffset, i);
      store(errors, errorsOffset, i, change / pivot);
    }
  }

  @Override
  @SuppressForbidden(reason = "the law of matrix products is defined with fma")
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
    for (int j = 0; j < columns; j++) {
      for (int i = 0; i < n; i++) {
        long at = targetOffset + j * targetStride;
        float w = load(target, at, i);
        for (int k = 0; k < depth; k++) {
          float e = load(errors, errorsOffset + k * errorStride, i);
          w = Math.fma(e, load(factors, factorsOffset + k * factorStride, j), w);
        }
        store(target, at, i, w);
      }
    }
  }

  @Override
  @SuppressForbidden(reason = "the law of matrix products is defined with fma")
  public void addSquares(
      MemorySegment errors,
      long errorsOffset,
      long errorStride,
      int depth,
      MemorySegment sums,
      long sumsOffset,
      int n) {
    for (int i = 0; i < n; i++) {
      float sum = load(sums, sumsOffset, i);
      for (int k = 0; k < depth; k++) {
        float e = load(errors, errorsOffset + k * errorStride, i);
        sum = Math.fma(e, e, sum);
      }
      store(sums, sumsOffset, i, sum);
    }
  }

  private static float load(MemorySegment run, long offset, int i) {
    return FloatType.F32.load(run, offset + 4L * i);
  }

  private static void store(MemorySegment run, long offset, int i, float value) {
    FloatType.F32.store(run, offset + 4L * i, value);
  }
}
