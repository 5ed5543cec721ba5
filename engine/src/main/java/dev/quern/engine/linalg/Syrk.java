package dev.quern.engine.linalg;

/**
 * One triangle of a symmetric product {@code Xᵀ X}, X [k, n]; for {@code X Xᵀ} pass {@code
 * x.transposed()}. Each element is what {@link Gemm} would give; the other triangle is neither read
 * nor written, so it may hold something else.
 */
public final class Syrk {
  private Syrk() {}

  /** A triangle of C = Xᵀ X; what it held is not read. */
  public static void set(Workspace workspace, MatrixOperand x, Triangle triangle, FloatMatrix c) {
    run(workspace, x, false, true, triangle, c);
  }

  /** A triangle of C += Xᵀ X. */
  public static void add(Workspace workspace, MatrixOperand x, Triangle triangle, FloatMatrix c) {
    run(workspace, x, false, false, triangle, c);
  }

  /** A triangle of C -= Xᵀ X. */
  public static void subtract(
      Workspace workspace, MatrixOperand x, Triangle triangle, FloatMatrix c) {
    run(workspace, x, true, false, triangle, c);
  }

  private static void run(
      Workspace workspace,
      MatrixOperand x,
      boolean negate,
      boolean fromZero,
      Triangle triangle,
      FloatMatrix c) {
    if (triangle == null) {
      throw new IllegalArgumentException("which triangle? LOWER or UPPER expected");
    }
    Product.run(workspace, x.transposed(), x, negate, fromZero, c, triangle);
  }
}
