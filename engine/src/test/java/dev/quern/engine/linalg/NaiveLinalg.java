package dev.quern.engine.linalg;

import dev.quern.engine.annotation.SuppressForbidden;

/** The laws of this package as plain loops over arrays, for tests. */
@SuppressForbidden(reason = "the law of matrix products is a chain of fused multiply-adds")
final class NaiveLinalg {
  private NaiveLinalg() {}

  /** One element of C +- A B. */
  static float element(float start, float[][] a, float[][] b, int row, int column, boolean negate) {
    float sum = start;
    for (int k = 0; k < b.length; k++) {
      sum = Math.fma(negate ? -a[row][k] : a[row][k], b[k][column], sum);
    }
    return sum;
  }

  /** V with A = Vᵀ V; null when a pivot is not positive. */
  static float[][] cholesky(float[][] a) {
    int n = a.length;
    float[][] v = new float[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = i; j < n; j++) {
        float s = a[i][j];
        for (int k = 0; k < i; k++) {
          s = Math.fma(-v[k][i], v[k][j], s);
        }
        if (j == i && !(s > 0)) {
          return null;
        }
        v[i][j] = j == i ? (float) Math.sqrt(s) : s / v[i][i];
      }
    }
    return v;
  }

  /** The inverse of Vᵀ. */
  static float[][] inverseOfTransposed(float[][] v) {
    int n = v.length;
    float[][] x = new float[n][n];
    for (int j = 0; j < n; j++) {
      x[j][j] = 1 / v[j][j];
      for (int i = j + 1; i < n; i++) {
        float s = 0;
        for (int k = j; k < i; k++) {
          s = Math.fma(-v[k][i], x[k][j], s);
        }
        x[i][j] = s / v[i][i];
      }
    }
    return x;
  }

  /** U with H⁻¹ = Uᵀ U; null when H + damping I has no factor. */
  static float[][] inverseFactor(float[][] h, float damping) {
    int n = h.length;
    float[][] reversed = new float[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        reversed[i][j] = h[n - 1 - i][n - 1 - j];
      }
      reversed[i][i] += damping;
    }
    float[][] v = cholesky(reversed);
    if (v == null) {
      return null;
    }
    float[][] x = inverseOfTransposed(v);
    float[][] u = new float[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        u[i][j] = x[n - 1 - i][n - 1 - j];
      }
    }
    return u;
  }

  /** The lower triangle of scale * sum of x xᵀ, in chunks. */
  static float[][] hessian(float[][] x, int features, double scale) {
    float[][] h = new float[features][features];
    for (int i = 0; i < features; i++) {
      for (int j = 0; j <= i; j++) {
        float sum = 0;
        float lost = 0;
        for (int begin = 0; begin < x.length; begin += HessianAccumulator.CHUNK_TOKENS) {
          int end = Math.min(x.length, begin + HessianAccumulator.CHUNK_TOKENS);
          float chunk = 0;
          for (int t = begin; t < end; t++) {
            chunk = Math.fma(x[t][i], x[t][j], chunk);
          }
          float total = sum + chunk;
          float part = total - sum;
          lost += (sum - (total - part)) + (chunk - part);
          sum = total;
        }
        h[i][j] = (float) (((double) sum + lost) * scale);
      }
    }
    return h;
  }
}
