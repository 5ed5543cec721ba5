package dev.quern.engine.quantization;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;

/** The smallest and the largest weight of each block: the observer {@code memoryless_minmax}. */
public final class MinMax implements RangeObserver {
  /** The only one needed. */
  public static final MinMax OBSERVER = new MinMax();

  private MinMax() {}

  @Override
  public void gridRow(
      Kernels kernels,
      FloatType type,
      MemorySegment source,
      ScaleGrid grid,
      int gridRow,
      float[] min,
      float[] max) {
    int gridCols = grid.gridCols();
    long rowBytes = (long) grid.cols() * type.bytes();
    int first = grid.rowBegin(gridRow);
    int end = grid.rowEnd(gridRow);
    int size = grid.blockCols();
    kernels.integers().range(type, source, first * rowBytes, grid.cols(), size, min, max);
    if (end - first == 1) {
      return;
    }
    float[] rowMin = new float[gridCols];
    float[] rowMax = new float[gridCols];
    for (int row = first + 1; row < end; row++) {
      kernels.integers().range(type, source, row * rowBytes, grid.cols(), size, rowMin, rowMax);
      for (int g = 0; g < gridCols; g++) { // these keep NaN
        min[g] = Math.min(min[g], rowMin[g]);
        max[g] = Math.max(max[g], rowMax[g]);
      }
    }
  }
}
