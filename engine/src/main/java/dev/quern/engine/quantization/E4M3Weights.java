package dev.quern.engine.quantization;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp8E4M3;
import java.lang.foreign.MemorySegment;

/**
 * Weights in FP8 E4M3 with scales in the weight's own type: the schemes FP8, FP8_DYNAMIC and
 * FP8_BLOCK.
 *
 * <p>Source: compressed-tensors 0.18, {@code calculate_qparams} and {@code quantize} for symmetric
 * schemes, as run on CPU.
 */
public final class E4M3Weights {
  private E4M3Weights() {}

  /**
   * The scale for a block whose largest magnitude has these bits: {@code round(absmax / 448)} in
   * {@code type}; an exact zero is replaced by the type's epsilon.
   */
  public static float scale(FloatType type, int absMaxBits) {
    float scale = type.round(type.decode(absMaxBits) / Fp8E4M3.MAX_VALUE);
    return scale == 0 ? type.epsilon() : scale;
  }

  /** The scale for a block of this range; see {@link #scale(FloatType, int)}. */
  public static float scale(FloatType type, float min, float max) {
    float largest = Math.max(Math.abs(Math.min(min, 0)), Math.abs(Math.max(max, 0)));
    return scale(type, type.encode(largest));
  }

  /**
   * As {@link #quantize(Kernels, FloatType, MemorySegment, ScaleGrid, MemorySegment,
   * MemorySegment)}, over the ranges that an observer finds.
   */
  public static void quantize(
      Kernels kernels,
      RangeObserver observer,
      FloatType type,
      MemorySegment source,
      ScaleGrid grid,
      MemorySegment codes,
      MemorySegment scales) {
    int gridCols = grid.gridCols();
    float[] min = new float[gridCols];
    float[] max = new float[gridCols];
    float[] rowScales = new float[gridCols];
    for (int gridRow = 0; gridRow < grid.gridRows(); gridRow++) {
      observer.gridRow(kernels, type, source, grid, gridRow, min, max);
      for (int g = 0; g < gridCols; g++) {
        if (!Float.isFinite(min[g]) || !Float.isFinite(max[g])) {
          throw NonFiniteWeightException.find(type, source, grid, gridRow, g);
        }
        rowScales[g] = scale(type, min[g], max[g]);
        long index = (long) gridRow * gridCols + g;
        type.store(scales, index * type.bytes(), rowScales[g]);
      }
      quantizeGridRow(kernels, type, source, grid, gridRow, rowScales, codes);
    }
  }

  /**
   * Quantizes a matrix, or a strip of whole rows of blocks.
   *
   * @param source weights, row-major [rows, cols] of {@code type}
   * @param codes receives one byte an element, row-major
   * @param scales receives the scales, row-major [gridRows, gridCols] of {@code type}
   * @throws NonFiniteWeightException when a weight is NaN or infinite; some codes may have been
   *     written
   */
  public static void quantize(
      Kernels kernels,
      FloatType type,
      MemorySegment source,
      ScaleGrid grid,
      MemorySegment codes,
      MemorySegment scales) {
    int gridCols = grid.gridCols();
    int[] maxBits = new int[gridCols];
    float[] rowScales = new float[gridCols];
    for (int gridRow = 0; gridRow < grid.gridRows(); gridRow++) {
      AbsMax.gridRow(kernels, type, source, grid, gridRow, maxBits);
      for (int g = 0; g < gridCols; g++) {
        if (maxBits[g] >= type.infinityBits()) {
          throw NonFiniteWeightException.find(type, source, grid, gridRow, g);
        }
        rowScales[g] = scale(type, maxBits[g]);
        long index = (long) gridRow * gridCols + g;
        type.store(scales, index * type.bytes(), rowScales[g]);
      }
      quantizeGridRow(kernels, type, source, grid, gridRow, rowScales, codes);
    }
  }

  /** Quantizes one row of blocks with scales that are already known, one for each block. */
  public static void quantizeGridRow(
      Kernels kernels,
      FloatType type,
      MemorySegment source,
      ScaleGrid grid,
      int gridRow,
      float[] rowScales,
      MemorySegment codes) {
    int gridCols = grid.gridCols();
    for (int row = grid.rowBegin(gridRow); row < grid.rowEnd(gridRow); row++) {
      long rowBegin = (long) row * grid.cols();
      for (int g = 0; g < gridCols; g++) {
        long element = rowBegin + grid.colBegin(g);
        int n = grid.colEnd(g) - grid.colBegin(g);
        kernels.quantizeE4M3(type, source, element * type.bytes(), n, rowScales[g], codes, element);
      }
    }
  }

  /**
   * Dequantizes one row of a matrix.
   *
   * @param codes the matrix of codes, row-major
   * @param scales the matrix of scales, row-major, of {@code type}
   * @param target receives {@code cols} elements of {@code type}
   */
  public static void dequantizeRow(
      Kernels kernels,
      FloatType type,
      MemorySegment codes,
      MemorySegment scales,
      ScaleGrid grid,
      int row,
      MemorySegment target) {
    int gridCols = grid.gridCols();
    long scaleRow = (long) (row / grid.blockRows()) * gridCols;
    for (int g = 0; g < gridCols; g++) {
      int begin = grid.colBegin(g);
      float scale = type.load(scales, (scaleRow + g) * type.bytes());
      kernels.dequantizeE4M3(
          type,
          codes,
          (long) row * grid.cols() + begin,
          grid.colEnd(g) - begin,
          scale,
          target,
          (long) begin * type.bytes());
    }
  }
}
