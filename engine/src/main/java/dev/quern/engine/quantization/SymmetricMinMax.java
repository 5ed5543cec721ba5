package dev.quern.engine.quantization;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.ScalarKernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;

/**
 * The observer {@code memoryless_minmax} for symmetric schemes, where nothing but the largest
 * magnitude {@code a} of a block counts: its range is given as {@code -a} to {@code a}.
 */
public final class SymmetricMinMax implements RangeObserver {
  /** The only one needed. */
  public static final SymmetricMinMax OBSERVER = new SymmetricMinMax();

  private SymmetricMinMax() {}

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
    int[] bits = new int[gridCols];
    int[] rowBits = new int[gridCols];
    long rowBytes = (long) grid.cols() * type.bytes();
    for (int row = grid.rowBegin(gridRow); row < grid.rowEnd(gridRow); row++) {
      kernels
          .integers()
          .absMax(type, source, row * rowBytes, grid.cols(), grid.blockCols(), rowBits);
      for (int g = 0; g < gridCols; g++) {
        bits[g] = Math.max(bits[g], rowBits[g]);
      }
    }
    for (int g = 0; g < gridCols; g++) {
      max[g] = ScalarKernels.canonical(type.decode(bits[g]));
      min[g] = -max[g];
    }
  }
}
