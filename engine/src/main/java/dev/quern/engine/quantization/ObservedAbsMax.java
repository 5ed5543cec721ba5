package dev.quern.engine.quantization;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;

/** Ranges of an observer in the place of largest magnitudes, for formats without zero points. */
public final class ObservedAbsMax {
  private ObservedAbsMax() {}

  /**
   * The larger end of each range of one row of groups, as a sign-less bit pattern; at least {@link
   * FloatType#infinityBits()} where a weight is not finite.
   *
   * @param source a strip of the matrix, row-major, from its first row
   */
  public static void row(
      Kernels kernels,
      RangeObserver observer,
      FloatType type,
      MemorySegment source,
      int cols,
      int groupSize,
      int row,
      int[] maxBits) {
    int groups = Math.ceilDiv(cols, groupSize);
    float[] min = new float[groups];
    float[] max = new float[groups];
    ScaleGrid grid = ScaleGrid.block(row + 1, cols, 1, groupSize);
    observer.gridRow(kernels, type, source, grid, row, min, max);
    for (int g = 0; g < groups; g++) { // these keep NaN
      float largest = Math.max(Math.abs(Math.min(min[g], 0)), Math.abs(Math.max(max[g], 0)));
      maxBits[g] = type.encode(largest) & type.signlessMask();
    }
  }
}
