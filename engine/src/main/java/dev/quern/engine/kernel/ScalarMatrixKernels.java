package dev.quern.engine.kernel;

import dev.quern.engine.annotation.SuppressForbidden;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The definition of {@link MatrixKernels}: what the contract says, element by element. Its tile is
 * small and of no significance.
 */
@SuppressForbidden(reason = "the law of matrix products is a chain of fused multiply-adds")
public final class ScalarMatrixKernels implements MatrixKernels {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int TILE_ROWS = 4;
  private static final int TILE_COLUMNS = 16;

  /** The definition. */
  public ScalarMatrixKernels() {}

  @Override
  public int tileRows() {
    return TILE_ROWS;
  }

  @Override
  public int tileColumns() {
    return TILE_COLUMNS;
  }

  @Override
  public void pack(
      FloatType type,
      MemorySegment source,
      long offset,
      long laneStride,
      long depthStride,
      int lanes,
      int width,
      int depth,
      boolean negate,
      MemorySegment target,
      long targetOffset) {
    for (int k = 0; k < depth; k++) {
      for (int lane = 0; lane < width; lane++) {
        float value = 0;
        if (lane < lanes) {
          value = type.load(source, offset + lane * laneStride + k * depthStride);
          value = negate ? -value : value;
        }
        target.set(FLOAT, targetOffset + 4L * ((long) k * width + lane), value);
      }
    }
  }

  @Override
  public void multiply(
      MemorySegment a,
      long aOffset,
      MemorySegment b,
      long bOffset,
      int depth,
      MemorySegment c,
      long cOffset,
      long cStride) {
    for (int i = 0; i < TILE_ROWS; i++) {
      for (int j = 0; j < TILE_COLUMNS; j++) {
        long at = cOffset + i * cStride + 4L * j;
        float sum = c.get(FLOAT, at);
        for (int k = 0; k < depth; k++) {
          float left = a.get(FLOAT, aOffset + 4L * ((long) k * TILE_ROWS + i));
          float right = b.get(FLOAT, bOffset + 4L * ((long) k * TILE_COLUMNS + j));
          sum = Math.fma(left, right, sum);
        }
        c.set(FLOAT, at, sum);
      }
    }
  }

  @Override
  public void solveTile(
      MemorySegment negated,
      long negatedOffset,
      MemorySegment diagonal,
      long diagonalOffset,
      int n,
      MemorySegment x,
      long xOffset) {
    for (int i = 0; i < n; i++) {
      float divisor = diagonal.get(FLOAT, diagonalOffset + 4L * i);
      for (int j = 0; j < TILE_COLUMNS; j++) {
        long column = xOffset + 4L * j;
        float sum = x.get(FLOAT, column + 4L * i * TILE_COLUMNS);
        for (int k = 0; k < i; k++) {
          float left = negated.get(FLOAT, negatedOffset + 4L * (k * TILE_ROWS + i));
          sum = Math.fma(left, x.get(FLOAT, column + 4L * k * TILE_COLUMNS), sum);
        }
        x.set(FLOAT, column + 4L * i * TILE_COLUMNS, sum / divisor);
      }
    }
  }

  @Override
  public int factorUpper(MemorySegment a, long offset, long stride, int n) {
    for (int k = 0; k < n; k++) {
      long row = offset + k * stride;
      float pivot = a.get(FLOAT, row + 4L * k);
      if (!isPositive(pivot)) {
        return k;
      }
      float root = (float) Math.sqrt(pivot);
      a.set(FLOAT, row + 4L * k, root);
      for (int j = k + 1; j < n; j++) {
        a.set(FLOAT, row + 4L * j, a.get(FLOAT, row + 4L * j) / root);
      }
      for (int i = k + 1; i < n; i++) {
        float factor = -a.get(FLOAT, row + 4L * i);
        for (int j = i; j < n; j++) {
          long at = offset + i * stride + 4L * j;
          a.set(FLOAT, at, Math.fma(factor, a.get(FLOAT, row + 4L * j), a.get(FLOAT, at)));
        }
      }
    }
    return -1;
  }

  /** Whether a pivot can be divided by: neither zero, negative, infinite nor NaN. */
  public static boolean isPositive(float pivot) {
    return pivot > 0 && pivot < Float.POSITIVE_INFINITY;
  }

  @Override
  public float chains(int rounds) {
    float a = 1;
    float b = 2;
    float c = 3;
    float d = 4;
    float e = 5;
    float f = 6;
    float g = 7;
    float h = 8;
    for (int i = 0; i < rounds; i++) {
      a = Math.fma(a, 0.5f, 1);
      b = Math.fma(b, 0.5f, 1);
      c = Math.fma(c, 0.5f, 1);
      d = Math.fma(d, 0.5f, 1);
      e = Math.fma(e, 0.5f, 1);
      f = Math.fma(f, 0.5f, 1);
      g = Math.fma(g, 0.5f, 1);
      h = Math.fma(h, 0.5f, 1);
    }
    return a + b + c + d + e + f + g + h;
  }

  @Override
  public int chainOperations() {
    return 16;
  }

  @Override
  public void addCompensated(
      MemorySegment x,
      long xOffset,
      MemorySegment sum,
      long sumOffset,
      MemorySegment compensation,
      long compensationOffset,
      int n) {
    addCompensated(x, xOffset, sum, sumOffset, compensation, compensationOffset, 0, n);
  }

  /** The elements from {@code begin} to {@code end}. */
  public static void addCompensated(
      MemorySegment x,
      long xOffset,
      MemorySegment sum,
      long sumOffset,
      MemorySegment compensation,
      long compensationOffset,
      int begin,
      int end) {
    for (int i = begin; i < end; i++) {
      float s = sum.get(FLOAT, sumOffset + 4L * i);
      float y = x.get(FLOAT, xOffset + 4L * i);
      float t = s + y;
      float part = t - s;
      float error = (s - (t - part)) + (y - part);
      sum.set(FLOAT, sumOffset + 4L * i, t);
      long at = compensationOffset + 4L * i;
      compensation.set(FLOAT, at, compensation.get(FLOAT, at) + error);
    }
  }
}
