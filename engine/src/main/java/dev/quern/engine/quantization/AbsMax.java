package dev.quern.engine.quantization;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Largest magnitudes of the blocks of a weight matrix: the {@code memoryless_minmax} observer of
 * symmetric schemes.
 */
public final class AbsMax {
  private AbsMax() {}

  /**
   * The largest magnitude of each block in one row of blocks.
   *
   * @param source the matrix, row-major, from its first row
   * @param maxBits receives {@link ScaleGrid#gridCols()} patterns, see {@link Kernels#absMaxBits};
   *     NaN and infinity show as patterns of at least {@link FloatType#infinityBits()}
   */
  public static void gridRow(
      Kernels kernels,
      FloatType type,
      MemorySegment source,
      ScaleGrid grid,
      int gridRow,
      int[] maxBits) {
    int gridCols = grid.gridCols();
    Arrays.fill(maxBits, 0, gridCols, 0);
    for (int row = grid.rowBegin(gridRow); row < grid.rowEnd(gridRow); row++) {
      long rowOffset = (long) row * grid.cols() * type.bytes();
      for (int g = 0; g < gridCols; g++) {
        int begin = grid.colBegin(g);
        long offset = rowOffset + (long) begin * type.bytes();
        int bits = kernels.absMaxBits(type, source, offset, grid.colEnd(g) - begin);
        maxBits[g] = Math.max(maxBits[g], bits);
      }
    }
  }

  /**
   * The largest magnitude of whole rows, as a bit pattern without its sign.
   *
   * @param source weights, row-major [rows, cols] of {@code type}
   * @throws NonFiniteWeightException when a weight is NaN or infinite
   */
  public static int ofRows(
      Kernels kernels, FloatType type, MemorySegment source, int rows, int cols) {
    int max = 0;
    for (int row = 0; row < rows; row++) {
      long offset = (long) row * cols * type.bytes();
      max = Math.max(max, kernels.absMaxBits(type, source, offset, cols));
    }
    if (max >= type.infinityBits()) {
      throw NonFiniteWeightException.find(type, source, ScaleGrid.tensor(rows, cols), 0, 0);
    }
    return max;
  }
}
