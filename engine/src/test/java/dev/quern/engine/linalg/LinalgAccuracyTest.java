package dev.quern.engine.linalg;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Workers;
import java.lang.foreign.Arena;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Errors against binary64 stay below the bounds that the classes state. */
class LinalgAccuracyTest {
  private static final double U = 0x1p-24;

  private static double gamma(double n) {
    return n * U / (1 - n * U);
  }

  @Test
  void chunksKeepTheErrorOfLongSumsSmall() {
    int tokens = 12 * HessianAccumulator.CHUNK_TOKENS + 5;
    int features = 9;
    SplittableRandom random = new SplittableRandom(91);
    float[][] x = new float[tokens][features];
    for (float[] row : x) {
      for (int c = 0; c < features; c++) {
        row[c] = (float) (1 + 0.25 * random.nextDouble()); // one sign: sums grow, and so do errors
      }
    }
    int chunks = Math.ceilDiv(tokens, HessianAccumulator.CHUNK_TOKENS);
    double bound =
        gamma(HessianAccumulator.CHUNK_TOKENS) + 2 * U + 2.0 * chunks * chunks * U * U + U;
    double worst = 0;
    double worstPlain = 0;
    try (Workspace workspace = Workspace.ofCallingThread(Kernels.best());
        Arena arena = Arena.ofConfined()) {
      HessianAccumulator sum = new HessianAccumulator(arena, workspace, FloatType.F32, features);
      sum.add(TestMatrices.operand(arena, FloatType.F32, x, features, 0));
      FloatMatrix h = sum.finish(1);
      for (int i = 0; i < features; i++) {
        for (int j = 0; j <= i; j++) {
          double exact = 0;
          float plain = 0;
          for (float[] row : x) {
            exact += (double) row[i] * row[j];
            plain += row[i] * row[j];
          }
          worst = Math.max(worst, Math.abs(h.get(i, j) - exact) / exact);
          worstPlain = Math.max(worstPlain, Math.abs(plain - exact) / exact);
        }
      }
    }
    assertThat(worst).isLessThan(bound);
    assertThat(worst).as("beside a plain sum's %s", worstPlain).isLessThan(worstPlain / 4);
  }

  @Test
  void theFactorOfTheInverseIsAsGoodAsTheInputAllows() {
    int n = 160;
    float[][] h = TestMatrices.positiveDefinite(n, new SplittableRandom(92));
    double[][] u = exactFactor(h, 0.01);
    try (Workers workers = new Workers(2);
        Workspace workspace = new Workspace(Kernels.best(), workers);
        Arena arena = Arena.ofShared()) {
      FloatMatrix matrix = FloatMatrix.allocate(arena, n, n);
      TestMatrices.fill(matrix, h);
      InverseFactor.compute(workspace, matrix, 0.01f);
      double largest = 0;
      double difference = 0;
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          largest = Math.max(largest, Math.abs(u[i][j]));
          difference = Math.max(difference, Math.abs(u[i][j] - matrix.get(i, j)));
        }
      }
      // The condition of H is below 200 here, and what the backward errors allow is far larger.
      assertThat(difference / largest).isLessThan(200 * 4 * U);
    }
  }

  /** By way of the inverse, in binary64: another way to the same factor. */
  private static double[][] exactFactor(float[][] h, double damping) {
    int n = h.length;
    double[][] work = new double[n][2 * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        work[i][j] =
            i == j ? (double) (h[i][i] + (float) damping) : h[Math.max(i, j)][Math.min(i, j)];
      }
      work[i][n + i] = 1;
    }
    for (int k = 0; k < n; k++) {
      double pivot = work[k][k];
      for (int j = 0; j < 2 * n; j++) {
        work[k][j] /= pivot;
      }
      for (int i = 0; i < n; i++) {
        double factor = work[i][k];
        for (int j = 0; i != k && j < 2 * n; j++) {
          work[i][j] -= factor * work[k][j];
        }
      }
    }
    double[][] u = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = i; j < n; j++) {
        double s = work[i][n + j];
        for (int k = 0; k < i; k++) {
          s -= u[k][i] * u[k][j];
        }
        u[i][j] = i == j ? Math.sqrt(s) : s / u[i][i];
      }
    }
    return u;
  }
}
