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

/** Products equal the naive loop bit for bit: every cut, type, transposition, number of threads. */
@Tag("twin")
@ParameterizedClass
@EnumSource
class GemmTwinTest {
  @Parameter Twin twin;

  private enum Form {
    SET,
    ADD,
    SUBTRACT
  }

  private static final float POISON = Float.NaN;
  private static final int MARGIN = 3;

  @Test
  void smallProductsOfAllShapes() {
    SplittableRandom random = new SplittableRandom(61);
    int checked = 0;
    try (Workspace workspace = Workspace.ofCallingThread(twin.kernels())) {
      for (int m : new int[] {0, 1, 5, 8, 17}) {
        for (int n : new int[] {0, 1, 16, 47, 49, 97}) {
          for (int k : new int[] {0, 1, 7, 33}) {
            for (Form form : Form.values()) {
              check(workspace, random, m, n, k, form, FloatType.F32, checked++);
            }
          }
        }
      }
    }
    assertThat(checked).isEqualTo(5 * 6 * 4 * 3);
  }

  @Test
  void productsThatAreCutAlongTheDepth() {
    SplittableRandom random = new SplittableRandom(62);
    int checked = 0;
    try (Workspace workspace = Workspace.ofCallingThread(twin.kernels())) {
      for (int k : new int[] {255, 256, 257, 1024, 1025, 2100}) {
        for (Form form : Form.values()) {
          check(workspace, random, 19, 53, k, form, FloatType.F32, checked++);
        }
      }
    }
    assertThat(checked).isEqualTo(6 * 3);
  }

  @Test
  void allTypesAndThreads() {
    SplittableRandom random = new SplittableRandom(63);
    int checked = 0;
    for (int threads : new int[] {1, 2, 7}) {
      try (Workers workers = new Workers(threads);
          Workspace workspace = new Workspace(twin.kernels(), workers, 0)) {
        for (FloatType type : FloatType.values()) {
          for (Form form : Form.values()) {
            check(workspace, random, 131, 203, 97, form, type, checked++);
          }
        }
      }
    }
    assertThat(checked).isEqualTo(3 * 3 * 3);
  }

  /**
   * One product inside of a larger matrix full of NaN; which operands are transposed goes around.
   */
  private void check(
      Workspace workspace,
      SplittableRandom random,
      int m,
      int n,
      int k,
      Form form,
      FloatType type,
      int number) {
    boolean transposeA = (number & 1) != 0;
    boolean transposeB = (number & 2) != 0;
    int gap = number % 3;
    String what =
        String.format(
            "%s [%d, %d, %d] %s%s%s",
            form, m, n, k, type, transposeA ? " Aᵀ" : "", transposeB ? " Bᵀ" : "");
    float[][] a = TestMatrices.random(type, m, k, random);
    float[][] b = TestMatrices.random(type, k, n, random);
    float[][] c = TestMatrices.random(FloatType.F32, m, n, random);
    try (Arena arena = Arena.ofShared()) {
      MatrixOperand left =
          transposeA
              ? TestMatrices.operand(arena, type, TestMatrices.transpose(a, k), m, gap).transposed()
              : TestMatrices.operand(arena, type, a, k, gap);
      MatrixOperand right =
          transposeB
              ? TestMatrices.operand(arena, type, TestMatrices.transpose(b, n), k, gap).transposed()
              : TestMatrices.operand(arena, type, b, n, gap);
      FloatMatrix whole = FloatMatrix.allocate(arena, m + 2 * MARGIN, n + 2 * MARGIN);
      TestMatrices.fill(whole, POISON);
      FloatMatrix target = whole.view(MARGIN, MARGIN, m, n);
      if (form == Form.SET) {
        Gemm.set(workspace, left, right, target);
      } else {
        TestMatrices.fill(target, c);
        if (form == Form.ADD) {
          Gemm.add(workspace, left, right, target);
        } else {
          Gemm.subtract(workspace, left, right, target);
        }
      }
      for (int r = 0; r < whole.rows(); r++) {
        for (int s = 0; s < whole.columns(); s++) {
          int i = r - MARGIN;
          int j = s - MARGIN;
          boolean inside = i >= 0 && i < m && j >= 0 && j < n;
          float expected = POISON;
          if (inside) {
            float start = form == Form.SET ? 0 : c[i][j];
            expected = NaiveLinalg.element(start, a, b, i, j, form == Form.SUBTRACT);
          }
          TestMatrices.same(what, whole, r, s, expected);
        }
      }
    }
  }
}
