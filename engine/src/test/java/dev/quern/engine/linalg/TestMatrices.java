package dev.quern.engine.linalg;

import static org.assertj.core.api.Assertions.fail;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

/** Matrices for tests. */
final class TestMatrices {
  private TestMatrices() {}

  /** Values of many binades and both signs, each exact in {@code type}. */
  static float[][] random(FloatType type, int rows, int columns, SplittableRandom random) {
    float[][] values = new float[rows][columns];
    for (float[] row : values) {
      for (int c = 0; c < columns; c++) {
        row[c] = type.round((float) Math.scalb(random.nextDouble() - 0.5, random.nextInt(8)));
      }
    }
    return values;
  }

  /** {@code Xᵀ X / tokens} of correlated inputs, computed in binary64: well conditioned enough. */
  static float[][] positiveDefinite(int n, SplittableRandom random) {
    int tokens = n + 8;
    double[][] x = new double[tokens][n];
    for (double[] row : x) {
      double common = random.nextDouble() - 0.5;
      for (int c = 0; c < n; c++) {
        row[c] = random.nextDouble() - 0.5 + 0.5 * common;
      }
    }
    float[][] h = new float[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        double sum = 0;
        for (double[] row : x) {
          sum += row[i] * row[j];
        }
        h[i][j] = (float) (sum / tokens + (i == j ? 0.05 : 0));
        h[j][i] = h[i][j];
      }
    }
    return h;
  }

  /** The values as an operand, with {@code gap} elements between rows. */
  static MatrixOperand operand(
      Arena arena, FloatType type, float[][] values, int columns, int gap) {
    int rows = values.length;
    long stride = columns + gap;
    MemorySegment data = arena.allocate(Math.max(1, rows * stride * type.bytes()), 64);
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        type.store(data, (r * stride + c) * type.bytes(), values[r][c]);
      }
    }
    return new MatrixOperand(type, data, rows, columns, stride, 1);
  }

  static float[][] transpose(float[][] values, int columns) {
    float[][] result = new float[columns][values.length];
    for (int r = 0; r < values.length; r++) {
      for (int c = 0; c < columns; c++) {
        result[c][r] = values[r][c];
      }
    }
    return result;
  }

  static void fill(FloatMatrix matrix, float[][] values) {
    for (int r = 0; r < matrix.rows(); r++) {
      for (int c = 0; c < matrix.columns(); c++) {
        matrix.set(r, c, values[r][c]);
      }
    }
  }

  static void fill(FloatMatrix matrix, float value) {
    for (int r = 0; r < matrix.rows(); r++) {
      for (int c = 0; c < matrix.columns(); c++) {
        matrix.set(r, c, value);
      }
    }
  }

  /** Fails unless an element has the bits that the law says. */
  static void same(String what, FloatMatrix found, int row, int column, float expected) {
    float actual = found.get(row, column);
    if (Float.floatToRawIntBits(actual) != Float.floatToRawIntBits(expected)) {
      fail("%s: element (%d, %d) is %s, and the law says %s", what, row, column, actual, expected);
    }
  }
}
