package dev.quern.engine.solver;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.linalg.HessianAccumulator;
import dev.quern.engine.linalg.MatrixOperand;
import dev.quern.engine.linalg.Symmetric;
import dev.quern.engine.linalg.Workspace;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Workers;
import java.lang.foreign.Arena;
import java.util.Comparator;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * How the error of a layer's output depends on changes of its weights: {@code H = c Σ x xᵀ} over
 * the inputs x of the layer. The layer's squared error is {@code tr(dW H dWᵀ)} times a constant.
 *
 * <p>The constant changes the loss that a solver tells. It also changes what is stored, but only
 * where features are dead: their diagonal is set to 1, as the reference does, which counts in the
 * mean that dampening goes by. {@link #ofActivations} divides by tokens, where the reference
 * divides by sequences.
 *
 * <p>Elements are finite, and those of the diagonal at least 0.
 */
public final class Hessian {
  private static final FloatType F32 = FloatType.F32;

  /** Of a full matrix, how far (i, j) may be from (j, i), in units of sqrt(h[i][i] h[j][j]). */
  private static final double ASYMMETRY = 1e-3;

  private final FloatMatrix lower;
  private final float[] diagonal;

  private Hessian(FloatMatrix lower) {
    this.lower = lower;
    this.diagonal = new float[lower.rows()];
    for (int i = 0; i < diagonal.length; i++) {
      diagonal[i] = lower.get(i, i);
    }
  }

  /**
   * Takes a matrix whose upper triangle is not read, as {@link HessianAccumulator} gives it.
   *
   * @param matrix [n, n]; must not change as long as this is used
   * @throws IllegalArgumentException when it is not square, holds NaN or infinity, or a negative
   *     number on its diagonal
   */
  public static Hessian ofLower(FloatMatrix matrix) {
    if (matrix.rows() != matrix.columns()) {
      throw new IllegalArgumentException(
          "a Hessian is square, one row and column for each input feature; found ["
              + matrix.rows()
              + ", "
              + matrix.columns()
              + "]");
    }
    Kernels kernels = Kernels.best();
    for (int i = 0; i < matrix.rows(); i++) {
      int bits = kernels.absMaxBits(F32, matrix.data(), matrix.offset(i, 0), i + 1);
      if (bits >= F32.infinityBits()) {
        throw notFinite(matrix, i);
      }
      if (matrix.get(i, i) < 0) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "Hessian [%d, %d] is %s; a sum of squares is at least 0",
                i,
                i,
                matrix.get(i, i)));
      }
    }
    return new Hessian(matrix);
  }

  private static IllegalArgumentException notFinite(FloatMatrix matrix, int row) {
    int col = 0;
    while (Float.isFinite(matrix.get(row, col))) {
      col++;
    }
    return new IllegalArgumentException(
        String.format(
            Locale.ROOT,
            "Hessian [%d, %d] is %s; the activations that it comes from are not finite, or their"
                + " squares overflow",
            row,
            col,
            matrix.get(row, col)));
  }

  /**
   * Takes a full matrix.
   *
   * @param matrix [n, n], symmetric but for roundings
   * @throws IllegalArgumentException as {@link #ofLower}, and when it is not symmetric
   */
  public static Hessian ofFull(FloatMatrix matrix) {
    Hessian hessian = ofLower(matrix);
    for (int i = 0; i < matrix.rows(); i++) {
      for (int j = 0; j < i; j++) {
        double apart = Math.abs((double) matrix.get(i, j) - matrix.get(j, i));
        double size = Math.sqrt((double) matrix.get(i, i) * matrix.get(j, j));
        if (!(apart <= ASYMMETRY * size)) {
          throw new IllegalArgumentException(
              String.format(
                  Locale.ROOT,
                  "a Hessian is symmetric, and [%d, %d] is %s where [%d, %d] is %s",
                  i,
                  j,
                  matrix.get(i, j),
                  j,
                  i,
                  matrix.get(j, i)));
        }
      }
    }
    return hessian;
  }

  /**
   * {@code 2 / tokens Σ x xᵀ} of the inputs of a layer.
   *
   * @param arena owns the matrix
   * @param activations [tokens, features], rows contiguous
   * @throws IllegalArgumentException when an input is NaN or infinite, or there is none
   */
  public static Hessian ofActivations(
      Arena arena, Kernels kernels, Workers workers, MatrixOperand activations) {
    if (activations.rows() == 0) {
      throw new IllegalArgumentException("no activations; at least one token expected");
    }
    try (Workspace workspace = new Workspace(kernels, workers)) {
      HessianAccumulator sum =
          new HessianAccumulator(arena, workspace, activations.type(), activations.columns());
      sum.add(activations);
      return ofLower(sum.finish(2.0 / activations.rows()));
    }
  }

  /** Input features, that is, columns of the weights. */
  public int features() {
    return diagonal.length;
  }

  /** One element. */
  public float get(int i, int j) {
    return i >= j ? lower.get(i, j) : lower.get(j, i);
  }

  /** An element of the diagonal: how often and how strongly a feature is used. */
  public float diagonal(int i) {
    return diagonal[i];
  }

  /** Whether a feature was never anything but 0, so that its column may be anything. */
  boolean isDead(int i) {
    return diagonal[i] == 0;
  }

  /** The unit of dampening: the mean of the diagonal, where a dead feature counts as 1. */
  double meanDiagonal() {
    double sum = 0;
    for (int i = 0; i < diagonal.length; i++) {
      sum += isDead(i) ? 1 : diagonal[i];
    }
    return sum / diagonal.length;
  }

  /** Whether all features are, because nothing went through the layer. */
  boolean isZero() {
    return IntStream.range(0, diagonal.length).allMatch(this::isDead);
  }

  /** Features by their diagonal elements, the largest first; equal ones keep their order. */
  int[] largestFirst() {
    return largestFirst(1);
  }

  /**
   * The same of runs of neighbours that have to stay together, by the sums of their elements.
   *
   * @param run divides the number of features
   */
  int[] largestFirst(int run) {
    int n = diagonal.length;
    double[] sums = new double[n / run];
    for (int i = 0; i < n; i++) {
      sums[i / run] += diagonal[i];
    }
    return IntStream.range(0, sums.length)
        .boxed()
        .sorted(Comparator.comparing((Integer i) -> sums[i]).reversed())
        .flatMap(i -> IntStream.range(i * run, (i + 1) * run).boxed())
        .mapToInt(Integer::intValue)
        .toArray();
  }

  /**
   * Copies the lower triangle with rows and columns in another order.
   *
   * @param order a permutation
   * @param target [n, n]; receives element (order[i], order[j]) at (i, j) for j up to i
   */
  void copyLower(Workers workers, int[] order, FloatMatrix target) throws InterruptedException {
    Symmetric.permuteLower(workers, lower, order, target);
  }
}
