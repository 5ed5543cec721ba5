package dev.quern.engine.linalg;

/**
 * The inverse of a triangle: X = L⁻¹, lower, for L = Vᵀ.
 *
 * <p>The law, for column j, i ascending from j: {@code x[j][j] = 1 / v[j][j]}; below it {@code s =
 * +0}, {@code s = fma(-v[k][i], x[k][j], s)} for k from j to i - 1, {@code x[i][j] = s / v[i][i]}.
 * The same bits come out for any threads, vectors and blocks.
 *
 * <p>Each column solves a system near its own: {@code |L X - I| <= γ(n) |L| |X|} (Higham, Accuracy
 * and Stability of Numerical Algorithms, section 14.2).
 */
public final class TriangularInverse {
  private TriangularInverse() {}

  /**
   * Inverts in place of the other triangle: V lies in the upper triangle of the matrix, X goes into
   * the lower one, its diagonal in the place of V's. The rest of V is lost in part.
   *
   * @param matrix [n, n] with positive numbers on the diagonal
   */
  public static void ofTransposed(Workspace workspace, FloatMatrix matrix) {
    Shapes.requireSquare("a triangle to invert", matrix);
    int n = matrix.rows();
    int block = BlockSizes.factor(n);
    TriangularSolve solver = new TriangularSolve(workspace);
    for (int i = 0; i < n; i += block) {
      int size = Math.min(block, n - i);
      int end = i + size;
      FloatMatrix corner = matrix.view(i, i, size, size);
      solver.pack(corner);
      setIdentity(corner);
      FloatMatrix rows = matrix.view(i, 0, size, end);
      solver.solve(rows);
      if (end < n) {
        FloatMatrix below = matrix.view(end, i, n - end, size);
        for (int r = 0; r < below.rows(); r++) {
          below.data().asSlice(below.offset(r, 0), 4L * size).fill((byte) 0);
        }
        Gemm.subtract(
            workspace,
            matrix.view(i, end, size, n - end).transposed(),
            rows.operand(),
            matrix.view(end, 0, n - end, end));
      }
    }
  }

  private static void setIdentity(FloatMatrix matrix) {
    for (int r = 0; r < matrix.rows(); r++) {
      matrix.data().asSlice(matrix.offset(r, 0), 4L * matrix.columns()).fill((byte) 0);
      matrix.set(r, r, 1);
    }
  }
}
