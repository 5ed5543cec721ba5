package dev.quern.engine.solver;

import dev.quern.engine.kernel.SweepKernels;
import dev.quern.engine.kernel.ThreadBuffer;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;

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

  private final SweepKernels kernels;
  private final StoredFormat format;
  private final Rounding rounding;
  private final GroupScales scales;
  private final int[] groups;
  private final float[] importance;
  private final float[] shrinks;

  /**
   * @param groups the group of each column, in the order of the sweep
   * @param importance of each column, in the same order, positive
   * @param shrinks what ranges are multiplied by, descending from 1
   */
  ScaleChoice(
      SweepKernels kernels,
      GroupScales scales,
      int[] groups,
      float[] importance,
      float[] shrinks) {
    this.kernels = kernels;
    this.format = scales.format();
    this.rounding = new Rounding(kernels, format);
    this.scales = scales;
    this.groups = groups;
    this.importance = importance;
    this.shrinks = shrinks;
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
   * Chooses the scales of one group in some rows.
   *
   * @param column first column of the group, in the order of the sweep
   * @param columns columns of the group
   * @param weights binary32, the columns {@code stride} bytes apart
   */
  void choose(
      int column,
      int columns,
      int row,
      int rows,
      MemorySegment weights,
      long weightsOffset,
      long stride) {
    int group = groups[column];
    int real = Math.min(rows, format.grid().rows() - row);
    float[] min = new float[rows];
    float[] max = new float[rows];
    range(columns, real, weights, weightsOffset, stride, min, max);
    float[] best = new float[rows];
    float[] bestZero = new float[rows];
    if (shrinks.length == 1) {
      for (int i = 0; i < real; i++) {
        best[i] = format.scale(min[i], max[i]);
        bestZero[i] = format.zeroPoint(min[i], max[i]);
      }
    } else {
      search(column, columns, rows, real, weights, weightsOffset, stride, min, max, best, bestZero);
    }
    for (int i = 0; i < real; i++) {
      scales.set(row + i, group, best[i], bestZero[i]);
    }
  }

  private static void range(
      int columns,
      int rows,
      MemorySegment weights,
      long offset,
      long stride,
      float[] min,
      float[] max) {
    for (int j = 0; j < columns; j++) {
      for (int i = 0; i < rows; i++) {
        float w = F32.load(weights, offset + j * stride + 4L * i);
        min[i] = Math.min(min[i], w);
        max[i] = Math.max(max[i], w);
      }
    }
  }

  private void search(
      int column,
      int columns,
      int rows,
      int real,
      MemorySegment weights,
      long offset,
      long stride,
      float[] min,
      float[] max,
      float[] best,
      float[] bestZero) {
    long run = 4L * rows;
    MemorySegment buffer = BUFFERS.atLeast(5 * run);
    long zeros = run;
    long stored = 2 * run;
    long sums = 3 * run;
    long codes = 4 * run;
    float[] least = new float[rows];
    for (int s = 0; s < shrinks.length; s++) {
      for (int i = 0; i < rows; i++) {
        boolean padding = i >= real;
        float low = min[i] * shrinks[s];
        float high = max[i] * shrinks[s];
        float effective = padding ? 1 : format.effective(format.scale(low, high));
        F32.store(buffer, 4L * i, effective);
        F32.store(buffer, zeros + 4L * i, padding ? 0 : format.zeroPoint(low, high));
        F32.store(buffer, sums + 4L * i, 0);
      }
      for (int j = 0; j < columns; j++) {
        long w = offset + j * stride;
        rounding.round(
            weights, w, rows, buffer, 0, buffer, zeros, buffer, codes, buffer, stored);
        float pivot = (float) (1 / Math.sqrt(importance[column + j]));
        kernels.errors(buffer, stored, weights, w, rows, pivot, buffer, stored);
        kernels.addSquares(buffer, stored, run, 1, buffer, sums, rows);
      }
      for (int i = 0; i < real; i++) {
        float sum = F32.load(buffer, sums + 4L * i);
        if (s == 0 || sum < least[i]) {
          least[i] = sum;
          best[i] = format.scale(min[i] * shrinks[s], max[i] * shrinks[s]);
          bestZero[i] = F32.load(buffer, zeros + 4L * i);
        }
      }
    }
  }
}
