package dev.quern.engine.linalg;

/**
 * Products of matrices: bf16, f16 or f32 operands, as they lie or transposed, into f32.
 *
 * <p>The law, for A [m, k], B [k, n], C [m, n]: each element of C is a chain of binary32 fused
 * multiply-adds, {@code s = fma(a[i][k], b[k][j], s)} for k ascending, that begins with +0 or with
 * what C holds. It has the same bits for any threads, vectors and blocks. Its error against the
 * exact sum is at most {@code γ(k) Σ|a[i][k]| |b[k][j]|} with {@code γ(k) = k u / (1 - k u)},
 * {@code u = 2^-24} (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1).
 *
 * <p>NaN and infinities go through as arithmetic has it; of a NaN, payload and sign are open.
 *
 * <p>Shapes that do not fit, and a C that shares elements with an operand, are refused with an
 * {@link IllegalArgumentException} before anything is computed. Views of one matrix that lie beside
 * each other are fine.
 */
public final class Gemm {
  private Gemm() {}

  /** C = A B; what C held is not read. */
  public static void set(Workspace workspace, MatrixOperand a, MatrixOperand b, FloatMatrix c) {
    Product.run(workspace, a, b, false, true, c, null);
  }

  /** C += A B. */
  public static void add(Workspace workspace, MatrixOperand a, MatrixOperand b, FloatMatrix c) {
    Product.run(workspace, a, b, false, false, c, null);
  }

  /** C -= A B; a term is {@code fma(-a[i][k], b[k][j], s)}. */
  public static void subtract(
      Workspace workspace, MatrixOperand a, MatrixOperand b, FloatMatrix c) {
    Product.run(workspace, a, b, true, false, c, null);
  }
}
