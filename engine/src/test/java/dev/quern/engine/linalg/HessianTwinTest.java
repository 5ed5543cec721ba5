package dev.quern.engine.linalg;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.kernel.Twin;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Workers;
import java.lang.foreign.Arena;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** One triangle of a product, and sums over chunks of tokens, equal their naive loops. */
@Tag("twin")
@ParameterizedClass
@EnumSource
class HessianTwinTest {
  @Parameter Twin twin;

  @Test
  void aTriangleIsThatOfTheProductAndTheOtherIsLeftAlone() {
    SplittableRandom random = new SplittableRandom(81);
    int checked = 0;
    for (int threads : new int[] {1, 2, 7}) {
      try (Workers workers = new Workers(threads);
          Workspace workspace = new Workspace(twin.kernels(), workers);
          Arena arena = Arena.ofShared()) {
        for (int n : new int[] {1, 31, 100, 290}) {
          float[][] x = TestMatrices.random(FloatType.BF16, 40, n, random);
          float[][] xt = TestMatrices.transpose(x, n);
          MatrixOperand operand = TestMatrices.operand(arena, FloatType.BF16, x, n, 1);
          for (Triangle triangle : Triangle.values()) {
            FloatMatrix c = FloatMatrix.allocate(arena, n, n);
            TestMatrices.fill(c, Float.NaN);
            Syrk.set(workspace, operand, triangle, c);
            checkTriangle(c, triangle, (i, j) -> NaiveLinalg.element(0, xt, x, i, j, false));
            TestMatrices.fill(c, 2f);
            Syrk.subtract(workspace, operand, triangle, c);
            checkTriangle(c, triangle, (i, j) -> NaiveLinalg.element(2, xt, x, i, j, true));
            Syrk.set(workspace, operand, triangle, c);
            Syrk.add(workspace, operand, triangle, c);
            checkTriangle(
                c,
                triangle,
                (i, j) ->
                    NaiveLinalg.element(
                        NaiveLinalg.element(0, xt, x, i, j, false), xt, x, i, j, false));
            checked++;
          }
        }
      }
    }
    assertThat(checked).isEqualTo(3 * 4 * 2);
  }

  private interface Element {
    float at(int row, int column);
  }

  private static void checkTriangle(FloatMatrix c, Triangle triangle, Element law) {
    float outside =
        c.rows() == 1
            ? 0
            : c.get(triangle == Triangle.LOWER ? 0 : 1, triangle == Triangle.LOWER ? 1 : 0);
    assertThat(Float.isNaN(outside) || outside == 2f || c.rows() == 1).isTrue();
    for (int r = 0; r < c.rows(); r++) {
      for (int s = 0; s < c.columns(); s++) {
        boolean inside = r == s || (s < r) == (triangle == Triangle.LOWER);
        TestMatrices.same(triangle + " of " + c.rows(), c, r, s, inside ? law.at(r, s) : outside);
      }
    }
  }

  @Test
  void theSumDoesNotDependOnBatches() {
    SplittableRandom random = new SplittableRandom(82);
    int tokens = 2 * HessianAccumulator.CHUNK_TOKENS + 77;
    int features = 67;
    int checked = 0;
    for (FloatType type : FloatType.values()) {
      float[][] x = TestMatrices.random(type, tokens, features, random);
      float[][] law = NaiveLinalg.hessian(x, features, 2.0 / tokens);
      for (int batch : new int[] {tokens, 1, 300, HessianAccumulator.CHUNK_TOKENS + 1}) {
        try (Workers workers = new Workers(2);
            Workspace workspace = new Workspace(twin.kernels(), workers);
            Arena arena = Arena.ofShared()) {
          MatrixOperand operand = TestMatrices.operand(arena, type, x, features, 2);
          HessianAccumulator sum = new HessianAccumulator(arena, workspace, type, features);
          for (int t = 0; t < tokens; t += batch) {
            sum.add(operand.view(t, 0, Math.min(batch, tokens - t), features));
          }
          assertThat(sum.tokens()).isEqualTo(tokens);
          FloatMatrix h = sum.finish(2.0 / tokens);
          for (int i = 0; i < features; i++) {
            for (int j = 0; j <= i; j++) {
              TestMatrices.same(type + " in batches of " + batch, h, i, j, law[i][j]);
            }
          }
          checked++;
        }
      }
    }
    assertThat(checked).isEqualTo(3 * 4);
  }
}
