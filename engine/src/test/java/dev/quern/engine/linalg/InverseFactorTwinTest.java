package dev.quern.engine.linalg;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.kernel.Twin;
import dev.quern.engine.parallel.Workers;
import java.lang.foreign.Arena;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Factors and inverses equal their naive loops bit for bit, for all sizes and threads. */
@Tag("twin")
@ParameterizedClass
@EnumSource
class InverseFactorTwinTest {
  @Parameter Twin twin;

  private static final int[] SIZES = {1, 2, 15, 63, 64, 65, 131, 193, 300, 513, 700};

  @Test
  void theFactorIsTheNaiveOne() {
    SplittableRandom random = new SplittableRandom(71);
    int checked = 0;
    for (int threads : new int[] {1, 2, 7}) {
      try (Workers workers = new Workers(threads);
          Workspace workspace = new Workspace(twin.kernels(), workers)) {
        for (int n : SIZES) {
          float[][] h = TestMatrices.positiveDefinite(n, random);
          check(workspace, h, n);
          checked++;
        }
      }
    }
    assertThat(checked).isEqualTo(3 * SIZES.length);
  }

  private static void check(Workspace workspace, float[][] h, int n) {
    float[][] v = NaiveLinalg.cholesky(h);
    float[][] x = NaiveLinalg.inverseOfTransposed(v);
    float[][] u = NaiveLinalg.inverseFactor(h, 0.01f);
    try (Arena arena = Arena.ofShared()) {
      FloatMatrix a = FloatMatrix.allocate(arena, n, n);
      TestMatrices.fill(a, h);
      for (int r = 0; r < n; r++) {
        for (int c = 0; c < r; c++) {
          a.set(r, c, Float.NaN);
        }
      }
      Cholesky.factor(workspace, a);
      for (int r = 0; r < n; r++) {
        for (int c = 0; c < n; c++) {
          TestMatrices.same("V of " + n, a, r, c, c < r ? Float.NaN : v[r][c]);
        }
      }
      TriangularInverse.ofTransposed(workspace, a);
      for (int r = 0; r < n; r++) {
        for (int c = 0; c <= r; c++) {
          TestMatrices.same("X of " + n, a, r, c, x[r][c]);
        }
      }
      TestMatrices.fill(a, h);
      for (int r = 0; r < n; r++) {
        for (int c = r + 1; c < n; c++) {
          a.set(r, c, Float.NaN);
        }
      }
      InverseFactor result = InverseFactor.compute(workspace, a, 0.01f);
      assertThat(result).isEqualTo(new InverseFactor(0.01f, 1));
      for (int r = 0; r < n; r++) {
        for (int c = 0; c < n; c++) {
          TestMatrices.same("U of " + n, a, r, c, u[r][c]);
        }
      }
    }
  }
}
