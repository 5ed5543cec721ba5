package dev.quern.engine.linalg;

import java.lang.foreign.MemorySegment;

/**
 * The Cholesky factor: V, upper, with A = Vᵀ V. The lower factor of A = L Lᵀ is L = Vᵀ; it is the
 * upper one that is computed since rows lie contiguous, and vectors run along rows.
 *
 * <p>The law, for j &gt;= i, i ascending: {@code s = a[i][j]}, {@code s = fma(-v[k][i], v[k][j],
 * s)} for k from 0 to i - 1; {@code v[i][i] = sqrt(s)}, else {@code v[i][j] = s / v[i][i]}. The
 * same bits come out for any threads, vectors and blocks.
 *
 * <p>The computed factor is the exact one of a matrix near A: {@code |A - Vᵀ V| <= γ(n + 1) |Vᵀ|
 * |V|} (Higham, Accuracy and Stability of Numerical Algorithms, theorem 10.3).
 */
public final class Cholesky {
  private Cholesky() {}

  /**
   * Factors in place: the upper triangle goes from A to V. What lies below the diagonal is neither
   * read nor written.
   *
   * @param a [n, n]
   * @throws NotPositiveDefiniteException when a pivot is not a positive finite number; the upper
   *     triangle is then lost
   */
  public static void factor(Workspace workspace, FloatMatrix a) {
    Shapes.requireSquare("a matrix to factor", a);
    int failed = tryFactor(workspace, a);
    if (failed >= 0) {
      throw new NotPositiveDefiniteException(failed, a.rows(), "raise the damping");
    }
  }

  /**
   * The same without an exception.
   *
   * @return -1, or the row of the first pivot that is not a positive finite number
   */
  static int tryFactor(Workspace workspace, FloatMatrix a) {
    int n = a.rows();
    int block = BlockSizes.factor(n);
    TriangularSolve solver = new TriangularSolve(workspace);
    for (int i = 0; i < n; i += block) {
      int size = Math.min(block, n - i);
      FloatMatrix corner = a.view(i, i, size, size);
      int failed = factorCorner(workspace, solver, corner);
      if (failed >= 0) {
        return i + failed;
      }
      int rest = n - i - size;
      if (rest > 0) {
        FloatMatrix row = a.view(i, i + size, size, rest);
        solver.solve(corner, row);
        FloatMatrix remaining = a.view(i + size, i + size, rest, rest);
        Syrk.subtract(workspace, row.operand(), Triangle.UPPER, remaining);
      }
    }
    return -1;
  }

  /** The same loop with smaller blocks, whose own corners one kernel factors. */
  private static int factorCorner(Workspace workspace, TriangularSolve solver, FloatMatrix a) {
    int n = a.rows();
    for (int i = 0; i < n; i += BlockSizes.SMALL_FACTOR) {
      int size = Math.min(BlockSizes.SMALL_FACTOR, n - i);
      int failed = factorTile(workspace, a.view(i, i, size, size));
      if (failed >= 0) {
        return i + failed;
      }
      int rest = n - i - size;
      if (rest > 0) {
        FloatMatrix row = a.view(i, i + size, size, rest);
        solver.solve(a.view(i, i, size, size), row);
        FloatMatrix remaining = a.view(i + size, i + size, rest, rest);
        Syrk.subtract(workspace, row.operand(), Triangle.UPPER, remaining);
      }
    }
    return -1;
  }

  // In scratch memory: the kernel uses whole vectors, and what is below the diagonal is not ours.
  private static int factorTile(Workspace workspace, FloatMatrix a) {
    int n = a.rows();
    long stride = 4L * BlockSizes.SMALL_FACTOR;
    MemorySegment own = workspace.own(0, n * stride);
    for (int i = 0; i < n; i++) {
      MemorySegment.copy(a.data(), a.offset(i, i), own, i * stride + 4L * i, 4L * (n - i));
    }
    int failed = workspace.kernels().factorUpper(own, 0, stride, n);
    if (failed < 0) {
      for (int i = 0; i < n; i++) {
        MemorySegment.copy(own, i * stride + 4L * i, a.data(), a.offset(i, i), 4L * (n - i));
      }
    }
    return failed;
  }
}
