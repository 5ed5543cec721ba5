package dev.quern.engine.solver;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.quantization.RangeObserver;
import dev.quern.engine.quantization.ScaleGrid;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The scales and zero points of a matrix: as they are stored, row-major [gridRows, gridCols], and
 * spread out for kernels that go down a column, one for each row of the weights. Rows of padding
 * have scale 1.
 */
final class GroupScales {
  private final StoredFormat format;
  private final ScaleGrid grid;
  private final float[] stored;
  private final float[] zeroPoints;
  private final FloatMatrix effective;
  private final FloatMatrix zeros;

  GroupScales(Arena arena, StoredFormat format) {
    this.format = format;
    this.grid = format.grid();
    int groups = Math.multiplyExact(grid.gridRows(), grid.gridCols());
    int padded = Sweep.paddedRows(grid.rows());
    stored = new float[groups];
    zeroPoints = new float[format.symmetric() ? 0 : groups];
    effective = FloatMatrix.allocate(arena, grid.gridCols(), padded);
    // Without zero points, one column of zeros serves all groups.
    zeros = FloatMatrix.allocate(arena, format.symmetric() ? 1 : grid.gridCols(), padded);
    Arrays.fill(stored, 1);
    for (int g = 0; g < grid.gridCols(); g++) {
      for (int row = 0; row < padded; row++) {
        effective.set(g, row, 1);
      }
    }
  }

  /**
   * Sets all of them from the ranges that an observer finds.
   *
   * @param weights row-major [rows, cols] of the format's type, finite
   */
  void observe(Kernels kernels, RangeObserver observer, MemorySegment weights) {
    float[] min = new float[grid.gridCols()];
    float[] max = new float[grid.gridCols()];
    for (int gridRow = 0; gridRow < grid.gridRows(); gridRow++) {
      observer.gridRow(kernels, format.type(), weights, grid, gridRow, min, max);
      for (int g = 0; g < min.length; g++) {
        set(gridRow, g, format.scale(min[g], max[g]), format.zeroPoint(min[g], max[g]));
      }
    }
  }

  /** Sets one scale, as it is stored, and its zero point. */
  void set(int gridRow, int gridCol, float scale, float zeroPoint) {
    int index = gridRow * grid.gridCols() + gridCol;
    stored[index] = scale;
    if (!format.symmetric()) {
      zeroPoints[index] = zeroPoint;
    }
    for (int row = grid.rowBegin(gridRow); row < grid.rowEnd(gridRow); row++) {
      effective.set(gridCol, row, format.effective(scale));
      if (!format.symmetric()) {
        zeros.set(gridCol, row, zeroPoint);
      }
    }
  }

  /** Sets the scale of a row's group alone; rows do not share scales. */
  void setScale(int row, int gridCol, float scale) {
    stored[row * grid.gridCols() + gridCol] = scale;
    effective.set(gridCol, row, format.effective(scale));
  }

  StoredFormat format() {
    return format;
  }

  /** Stored scales, row-major [gridRows, gridCols]. */
  float[] stored() {
    return stored;
  }

  /** Zero points, row-major [gridRows, gridCols]; empty when symmetric. */
  float[] zeroPoints() {
    return zeroPoints;
  }

  MemorySegment effectiveData() {
    return effective.data();
  }

  long effectiveOffset(int group, int row) {
    return effective.offset(group, row);
  }

  MemorySegment zeroData() {
    return zeros.data();
  }

  long zeroOffset(int group, int row) {
    return zeros.offset(format.symmetric() ? 0 : group, row);
  }
}
