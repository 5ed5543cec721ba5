package dev.quern.engine.linalg;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import java.util.Locale;

/**
 * The matrix that GPTQ and SparseGPT walk along: U, upper, with {@code H⁻¹ = Uᵀ U}, H symmetric and
 * positive definite.
 *
 * <p>The inverse itself is never formed. With rows and columns in reverse order, J H J = Vᵀ V gives
 * {@code U = J V⁻ᵀ J}: a factorization and the inverse of a triangle, 2/3 n³ operations where
 * factor, inverse and factor of the inverse take 4/3 n³. All of it happens inside the one matrix:
 * each of its triangles in turn.
 *
 * <p>The law is that of {@link Cholesky} and {@link TriangularInverse} on the reversed matrix.
 *
 * @param damping what was added to the diagonal in the end
 * @param attempts how many dampings were tried; more than 1 says that the wanted one was too small
 */
public record InverseFactor(float damping, int attempts) {
  private static final FloatType F32 = FloatType.F32;

  /** What a damping that was too small is multiplied by. */
  private static final float STEP = 10;

  /** The smallest damping worth trying, in units of the mean of the diagonal. */
  private static final double SMALLEST = 1e-6;

  /** Larger than this many times the largest of the diagonal, damping is no cure. */
  private static final double LARGEST = 1e3;

  /**
   * Replaces H by U.
   *
   * <p>When H + damping I has no factor in binary32, the damping is raised tenfold until it has
   * one: compare {@link #damping()} with what was asked for, and tell.
   *
   * @param h [n, n], H in its lower triangle; the upper one is not read. Afterwards U, with zeros
   *     below the diagonal
   * @param damping what is added to each element of the diagonal, at least 0
   * @throws IllegalArgumentException when H is not square, its diagonal holds a negative number, an
   *     infinity or NaN, or the damping is not a finite number of at least 0
   * @throws NotPositiveDefiniteException when a damping that dwarfs the diagonal does not help, as
   *     when there is a NaN beside the diagonal; H is then unchanged but for its upper triangle
   */
  public static InverseFactor compute(Workspace workspace, FloatMatrix h, float damping) {
    Shapes.requireSquare("a Hessian", h);
    if (!(damping >= 0) || damping == Float.POSITIVE_INFINITY) {
      throw new IllegalArgumentException(
          "damping " + damping + "; a finite number of at least 0 expected");
    }
    int n = h.rows();
    float[] diagonal = diagonal(h);
    double mean = 0;
    double largest = 0;
    for (float x : diagonal) {
      mean += x;
      largest = Math.max(largest, x);
    }
    mean /= Math.max(1, n);
    float tried = damping;
    for (int attempts = 1; ; attempts++) {
      reverseToUpper(workspace, h, false);
      for (int i = 0; i < n; i++) {
        h.set(i, i, diagonal[n - 1 - i] + tried);
      }
      int failed = Cholesky.tryFactor(workspace, h);
      if (failed < 0) {
        TriangularInverse.ofTransposed(workspace, h);
        reverseToUpper(workspace, h, true);
        reverseDiagonal(h);
        return new InverseFactor(tried, attempts);
      }
      float next = (float) Math.max(tried * STEP, mean * SMALLEST);
      if (!(next <= largest * LARGEST) || !(next > tried)) {
        for (int i = 0; i < n; i++) {
          h.set(i, i, diagonal[i]);
        }
        throw new NotPositiveDefiniteException(
            n - 1 - failed, n, "damping up to " + tried + " did not help");
      }
      tried = next;
    }
  }

  private static float[] diagonal(FloatMatrix h) {
    float[] diagonal = new float[h.rows()];
    for (int i = 0; i < diagonal.length; i++) {
      float x = h.get(i, i);
      if (!(x >= 0) || x == Float.POSITIVE_INFINITY) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "element (%d, %d) of the [%d, %d] Hessian is %s; a sum of squares is a finite"
                    + " number of at least 0",
                i,
                i,
                h.rows(),
                h.rows(),
                x));
      }
      diagonal[i] = x;
    }
    return diagonal;
  }

  /** Copies what lies below the diagonal above it, last row and column first. */
  private static void reverseToUpper(Workspace workspace, FloatMatrix h, boolean clearLower) {
    int n = h.rows();
    MemorySegment data = h.data();
    int rows = 64;
    workspace.run(
        Math.ceilDiv(n, rows),
        2.0 * n * n,
        (task, _) -> {
          for (int i = task * rows; i < Math.min(n, (task + 1) * rows); i++) {
            long from = h.offset(n - 1 - i, 0);
            long to = h.offset(i, n - 1);
            for (int c = 0; c < n - 1 - i; c++) {
              F32.store(data, to - 4L * c, F32.load(data, from + 4L * c));
            }
            if (clearLower) {
              data.asSlice(from, 4L * (n - 1 - i)).fill((byte) 0);
            }
          }
        });
  }

  private static void reverseDiagonal(FloatMatrix h) {
    int last = h.rows() - 1;
    for (int i = 0; i < last - i; i++) {
      float first = h.get(i, i);
      h.set(i, i, h.get(last - i, last - i));
      h.set(last - i, last - i, first);
    }
  }
}
