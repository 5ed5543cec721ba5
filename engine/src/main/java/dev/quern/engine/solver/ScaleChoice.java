package dev.quern.engine.solver;

import dev.quern.engine.kernel.SweepKernels;
import dev.quern.engine.kernel.ThreadBuffer;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Tasks;
import dev.quern.engine.parallel.Workers;
import dev.quern.engine.quantization.ScaleGrid;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Chooses the scales of groups from the weights as they are: from the range of each row's group, or
 * from the best of several ranges. The best is the one with the least {@code sum(importance[j] *
 * (q[j] - w[j])^2)}; of equal ones the widest.
 *
 * <p>Sums go over the columns in ascending order, in binary32, so that a choice depends on the row
 * alone.
 */
final class ScaleChoice {
  /** A range as found, and nothing narrower. */
  static final float[] RANGE_ONLY = {1};

  private static final FloatType F32 = FloatType.F32;
  private static final ThreadBuffer BUFFERS = new ThreadBuffer();
  private static final int STRIP = 64;

  private final SweepKernels kernels;
  private final StoredFormat format;
  private final Rounding rounding;
  private final GroupScales scales;
  private final int[] groups;
  private final float[] pivots;
  private final float[] shrinks;

  /**
   * @param groups the group of each column, in the order of the sweep
   * @param importance of each column, in the same order, positive
   * @param shrinks what ranges are multiplied by, descending from 1
   */
  ScaleChoice(
      SweepKernels kernels, GroupScales scales, int[] groups, float[] importance, float[] shrinks) {
    this.kernels = kernels;
    this.format = scales.format();
    this.rounding = new Rounding(kernels, format);
    this.scales = scales;
    this.groups = groups;
    this.shrinks = shrinks;
    pivots = new float[importance.length];
    for (int j = 0; j < pivots.length; j++) {
      pivots[j] = (float) (1 / Math.sqrt(importance[j]));
    }
  }

  /** The candidates of a search: 1 down to 0.5 in steps of 1/40. */
  static float[] searchShrinks() {
    float[] shrinks = new float[21];
    for (int i = 0; i < shrinks.length; i++) {
      shrinks[i] = 1 - i / 40f;
    }
    return shrinks;
  }

  /**
   * Chooses the scales of all groups.
   *
   * @param weights transposed, a row for each column in the order of the sweep
   */
  void chooseAll(Workers workers, FloatMatrix weights) throws InterruptedException {
    ScaleGrid grid = format.grid();
    int[][] members = new int[grid.gridCols()][grid.blockCols()];
    int[] counts = new int[grid.gridCols()];
    for (int j = 0; j < groups.length; j++) {
      members[groups[j]][counts[groups[j]]++] = j;
    }
    int strips = Math.ceilDiv(weights.columns(), STRIP);
    Tasks.run(
        workers,
        strips * members.length,
        (task, worker) -> {
          int[] columns = members[task / strips];
          int row = task % strips * STRIP;
          long[] offsets = new long[columns.length];
          for (int j = 0; j < columns.length; j++) {
            offsets[j] = weights.offset(columns[j], row);
          }
          int rows = Math.min(STRIP, weights.columns() - row);
          choose(columns, offsets, row, rows, weights.data());
        });
  }

  /**
   * Chooses the scales of one group in some rows.
   *
   * @param columns the group's, in the order of the sweep
   * @param offsets where each column's rows lie
   * @param weights binary32
   */
  void choose(int[] columns, long[] offsets, int row, int rows, MemorySegment weights) {
    int group = groups[columns[0]];
    int real = Math.min(rows, format.grid().rows() - row);
    float[] min = new float[rows];
    float[] max = new float[rows];
    for (long offset : offsets) {
      for (int i = 0; i < real; i++) {
        float w = F32.load(weights, offset + 4L * i);
        min[i] = Math.min(min[i], w);
        max[i] = Math.max(max[i], w);
      }
    }
    float[] best = new float[rows];
    if (shrinks.length == 1) {
      Arrays.fill(best, 1);
    } else {
      search(columns, offsets, rows, real, weights, min, max, best);
    }
    for (int i = 0; i < real; i++) {
      float low = min[i] * best[i];
      float high = max[i] * best[i];
      scales.set(row + i, group, format.scale(low, high), format.zeroPoint(low, high));
    }
  }

  /** Finds for each row what its range is best multiplied by. */
  private void search(
      int[] columns,
      long[] offsets,
      int rows,
      int real,
      MemorySegment weights,
      float[] min,
      float[] max,
      float[] best) {
    long run = 4L * rows;
    long zeros = run;
    long stored = 2 * run;
    long sums = 3 * run;
    long codes = 4 * run;
    MemorySegment buffer = BUFFERS.atLeast(5 * run);
    float[] least = new float[rows];
    for (float shrink : shrinks) {
      for (int i = 0; i < rows; i++) {
        boolean padding = i >= real;
        float low = min[i] * shrink;
        float high = max[i] * shrink;
        float scale = padding ? 1 : format.effective(format.scale(low, high));
        F32.store(buffer, 4L * i, scale);
        F32.store(buffer, zeros + 4L * i, padding ? 0 : format.zeroPoint(low, high));
        F32.store(buffer, sums + 4L * i, 0);
      }
      for (int j = 0; j < columns.length; j++) {
        long w = offsets[j];
        float pivot = pivots[columns[j]];
        rounding.round(weights, w, rows, buffer, 0, buffer, zeros, buffer, codes, buffer, stored);
        kernels.errors(buffer, stored, weights, w, rows, pivot, buffer, stored);
        kernels.addSquares(buffer, stored, run, 1, buffer, sums, rows);
      }
      for (int i = 0; i < real; i++) {
        float sum = F32.load(buffer, sums + 4L * i);
        if (best[i] == 0 || sum < least[i]) {
          least[i] = sum;
          best[i] = shrink;
        }
      }
    }
  }
}
