package dev.quern.engine.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.engine.kernel.KernelChoice;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is refused, with which sentence; and that damping is raised, and told. */
class LinalgRefusalTest {
  private final Arena arena = Arena.ofShared();
  private final Workspace workspace = Workspace.ofCallingThread(KernelChoice.withoutVectors());

  private final Workers workers = new Workers(2);

  @AfterEach
  void free() {
    workers.close();
    workspace.close();
    arena.close();
  }

  private FloatMatrix matrix(int rows, int columns) {
    return FloatMatrix.allocate(arena, rows, columns);
  }

  @Test
  void shapesThatDoNotFit() {
    FloatMatrix a = matrix(3, 4);
    assertThatThrownBy(() -> Gemm.set(workspace, a.operand(), a.operand(), matrix(3, 4)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a product of [3, 4] and [3, 4] cannot go into [3, 4]");
    assertThatThrownBy(() -> Cholesky.factor(workspace, a))
        .hasMessage("a matrix to factor must be square, and it is [3, 4]");
    assertThatThrownBy(() -> TriangularInverse.ofTransposed(workspace, a))
        .hasMessageContaining("must be square");
    assertThatThrownBy(() -> InverseFactor.compute(workspace, a, 0))
        .hasMessageContaining("a Hessian must be square");
    assertThatThrownBy(() -> Symmetric.mirror(a, Triangle.LOWER))
        .hasMessageContaining("a symmetric matrix must be square");
    assertThatThrownBy(() -> Syrk.set(workspace, a.operand(), null, matrix(4, 4)))
        .hasMessageContaining("which triangle?");
    assertThatThrownBy(() -> a.view(1, 1, 3, 1))
        .isInstanceOf(IndexOutOfBoundsException.class)
        .hasMessage("3 rows from 1 and 1 columns from 1 of a [3, 4] matrix");
  }

  @Test
  void memoryThatDoesNotFit() {
    assertThatThrownBy(() -> FloatMatrix.of(arena.allocate(44), 3, 4))
        .hasMessageContaining("needs 48 bytes, and its memory has 44");
    assertThatThrownBy(() -> FloatMatrix.of(MemorySegment.ofArray(new float[12]), 3, 4))
        .hasMessageContaining("this is on the heap");
    assertThatThrownBy(() -> MatrixOperand.of(FloatType.BF16, arena.allocate(22), 3, 4))
        .hasMessageContaining("needs 24 bytes, and its memory has 22");
    assertThatThrownBy(() -> new FloatMatrix(arena.allocate(64), 2, 4, 3))
        .hasMessageContaining("stride 3");
  }

  @Test
  void targetsThatOverlapAnOperand() {
    FloatMatrix whole = matrix(8, 8);
    FloatMatrix left = whole.view(0, 0, 8, 4);
    FloatMatrix right = whole.view(0, 4, 8, 4);
    FloatMatrix square = whole.view(0, 4, 4, 4);
    assertThatCode(() -> Gemm.set(workspace, left.operand(), square.operand(), matrix(8, 4)))
        .doesNotThrowAnyException();
    assertThatCode(() -> Gemm.set(workspace, left.operand(), matrix(4, 4).operand(), right))
        .as("side by side")
        .doesNotThrowAnyException();
    for (FloatMatrix target :
        new FloatMatrix[] {left, whole.view(0, 3, 8, 4), whole.view(0, 1, 8, 4)}) {
      assertThatThrownBy(() -> Gemm.set(workspace, left.operand(), matrix(4, 4).operand(), target))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("the target [8, 4] overlaps the operand [8, 4]");
    }
    FloatMatrix lower = whole.view(4, 0, 4, 8);
    FloatMatrix upper = whole.view(0, 0, 4, 8);
    assertThatCode(() -> Gemm.set(workspace, upper.operand(), matrix(8, 8).operand(), lower))
        .as("one below the other")
        .doesNotThrowAnyException();
  }

  @Test
  void hessiansThatCannotBe() {
    FloatMatrix h = matrix(2, 2);
    for (float wrong : new float[] {-1, Float.NaN, Float.POSITIVE_INFINITY}) {
      h.set(0, 0, 1);
      h.set(1, 1, wrong);
      assertThatThrownBy(() -> InverseFactor.compute(workspace, h, 0.1f))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("element (1, 1) of the [2, 2] Hessian is " + wrong);
    }
    h.set(1, 1, 1);
    for (float wrong : new float[] {-1, Float.NaN, Float.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> InverseFactor.compute(workspace, h, wrong))
          .hasMessageContaining("damping " + wrong);
    }
    h.set(1, 0, Float.NaN);
    assertThatThrownBy(() -> InverseFactor.compute(workspace, h, 0.1f))
        .isInstanceOf(NotPositiveDefiniteException.class)
        .hasMessageContaining("did not help");
    assertThat(h.get(0, 0)).as("the diagonal is put back").isEqualTo(1);
    h.set(0, 1, 2);
    h.set(1, 0, 2);
    assertThatThrownBy(() -> Cholesky.factor(workspace, h))
        .isInstanceOf(NotPositiveDefiniteException.class)
        .hasMessageContaining("pivot 1, counted from 0")
        .extracting(e -> ((NotPositiveDefiniteException) e).row())
        .isEqualTo(1);
  }

  @Test
  void dampingIsRaisedUntilItFactorsAndTold() {
    FloatMatrix h = matrix(3, 3);
    TestMatrices.fill(h, 1); // rank one
    InverseFactor result = InverseFactor.compute(workspace, h, 0);
    assertThat(result.attempts()).isGreaterThan(1);
    assertThat(result.damping()).isGreaterThan(0).isLessThan(1e-3f);
    FloatMatrix again = matrix(3, 3);
    TestMatrices.fill(again, 1);
    assertThat(InverseFactor.compute(workspace, again, result.damping()))
        .isEqualTo(new InverseFactor(result.damping(), 1));
    assertThat(again.data().mismatch(h.data())).as("as if it had been asked for").isEqualTo(-1);
  }

  @Test
  void inputsThatAreNotFiniteAreNamed() {
    HessianAccumulator sum = new HessianAccumulator(arena, workspace, FloatType.F32, 3);
    FloatMatrix x = matrix(2, 3);
    x.set(1, 2, Float.NEGATIVE_INFINITY);
    sum.add(x.operand());
    assertThatThrownBy(() -> sum.finish(1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("input feature 2 add up to Infinity over 2 tokens");
    assertThatThrownBy(() -> sum.add(x.operand()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("was finished");
    assertThatThrownBy(
            () -> new HessianAccumulator(arena, workspace, FloatType.BF16, 3).add(x.operand()))
        .hasMessageContaining("inputs of type F32 and shape [2, 3]");
    assertThatThrownBy(() -> new HessianAccumulator(arena, workspace, FloatType.BF16, 0))
        .hasMessageContaining("0 features");
  }

  @Test
  void otherOrders() throws Exception {
    FloatMatrix a = matrix(3, 3);
    TestMatrices.fill(a, new float[][] {{1, 0, 0}, {2, 3, 0}, {4, 5, 6}});
    FloatMatrix b = matrix(3, 3);
    Symmetric.permuteLower(workers, a, new int[] {2, 0, 1}, b);
    Symmetric.mirror(b, Triangle.LOWER);
    TestMatrices.fill(a, new float[][] {{6, 4, 5}, {4, 1, 2}, {5, 2, 3}});
    assertThat(b.data().mismatch(a.data())).isEqualTo(-1);
    TestMatrices.fill(a, new float[][] {{1, 9, 9}, {2, 3, 9}, {4, 5, 6}});
    Symmetric.permuteLower(workers, a, new int[] {0, 1, 2}, b);
    Symmetric.mirror(b, Triangle.LOWER);
    TestMatrices.fill(a, new float[][] {{1, 2, 4}, {2, 3, 5}, {4, 5, 6}});
    assertThat(b.data().mismatch(a.data())).isEqualTo(-1);
    for (int[] wrong : new int[][] {{0, 1}, {0, 1, 1}, {0, 1, 3}}) {
      assertThatThrownBy(() -> Symmetric.permuteLower(workers, a, wrong, b))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("an order");
    }
  }
}
