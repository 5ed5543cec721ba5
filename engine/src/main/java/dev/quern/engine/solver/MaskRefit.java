package dev.quern.engine.solver;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.linalg.Gemm;
import dev.quern.engine.linalg.Symmetric;
import dev.quern.engine.linalg.Triangle;
import dev.quern.engine.linalg.Workspace;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Tasks;
import dev.quern.engine.parallel.Workers;
import dev.quern.engine.sparsity.WeightMatrix;
import java.lang.foreign.Arena;
import java.util.stream.IntStream;

/**
 * Least squares on a fixed mask: of all matrices with the same zeros, the one whose layer error is
 * least. A sweep is greedy, since a column makes up only for those before it; this looks at all of
 * them at once, and serves any mask, SparseGPT's, Wanda's or that of magnitudes.
 *
 * <pre>
 *   for each row w, with d = x - w:   least  d (H + λ mean I) dᵀ   where x = 0 outside of the mask
 * </pre>
 *
 * <p>Conjugate gradients, preconditioned with the diagonal, from the pruned weights on, all rows
 * together: a step is one product [rows, n] · [n, n]. Rows know nothing of each other, and a row's
 * sums are in binary64 in the order of its columns, so results do not depend on threads or vectors.
 * Cost: {@code steps + 2} such products, {@code 2 rows n²} operations each, about as much as a
 * sweep.
 *
 * <p>In the end the weights are rounded to their type. A row that this did not improve, by the
 * undamped Hessian, stays as it was: the result is never worse.
 */
public final class MaskRefit {
  private static final FloatType F32 = FloatType.F32;

  private final Kernels kernels;
  private final Workers workers;

  /**
   * @param workers not closed by this; nothing else may run on them meanwhile
   */
  public MaskRefit(Kernels kernels, Workers workers) {
    this.kernels = kernels;
    this.workers = workers;
  }

  /**
   * Improves pruned weights in their place.
   *
   * @param original what the layer was, finite
   * @param pruned the same with zeros, which stay; finite
   * @param hessian of the layer
   * @param dampening what is added to its diagonal, in units of its mean; weights that the inputs
   *     say little of stay near the original's
   * @param steps of conjugate gradients, at least 1
   * @throws IllegalArgumentException when shapes do not fit
   * @throws ArithmeticException when a weight is NaN or infinite
   */
  public void refit(
      WeightMatrix original, WeightMatrix pruned, Hessian hessian, float dampening, int steps)
      throws InterruptedException {
    check(original, pruned, hessian, dampening);
    int n = original.columns();
    try (Arena arena = Arena.ofShared();
        Workspace workspace = new Workspace(kernels, workers)) {
      FloatMatrix h = FloatMatrix.allocate(arena, n, n);
      hessian.copyLower(workers, IntStream.range(0, n).toArray(), h);
      Symmetric.mirror(h, Triangle.LOWER);
      float damping = (float) (dampening * hessian.meanDiagonal());
      new Solve(original, pruned, h, damping, arena, workspace).run(steps);
    }
  }

  private void check(WeightMatrix original, WeightMatrix pruned, Hessian hessian, float dampening) {
    pruned.requireSameShape(original);
    if (hessian.features() != original.columns()) {
      throw new IllegalArgumentException(
          "weights of "
              + original.columns()
              + " columns need a Hessian of as many features; found "
              + hessian.features());
    }
    if (!(dampening >= 0) || dampening == Float.POSITIVE_INFINITY) {
      throw new IllegalArgumentException(
          "dampening " + dampening + "; a finite number of at least 0 expected");
    }
    for (int row = 0; row < original.rows(); row++) {
      original.requireFinite(kernels, row);
      pruned.requireFinite(kernels, row);
    }
  }

  /** The matrices of one call, all [rows, n] but H. */
  private final class Solve {
    private final WeightMatrix original;
    private final WeightMatrix pruned;
    private final FloatMatrix h;
    private final float damping;
    private final Workspace workspace;
    private final FloatMatrix change; // d = x - w
    private final FloatMatrix residual; // r = -mask(d A)
    private final FloatMatrix direction; // p
    private final FloatMatrix product; // of d or p with H
    private final double[] before;
    private final double[] dots; // r z of each row

    Solve(
        WeightMatrix original,
        WeightMatrix pruned,
        FloatMatrix h,
        float damping,
        Arena arena,
        Workspace workspace) {
      this.original = original;
      this.pruned = pruned;
      this.h = h;
      this.damping = damping;
      this.workspace = workspace;
      change = FloatMatrix.allocate(arena, original.rows(), h.rows());
      residual = FloatMatrix.allocate(arena, original.rows(), h.rows());
      direction = FloatMatrix.allocate(arena, original.rows(), h.rows());
      product = FloatMatrix.allocate(arena, original.rows(), h.rows());
      before = new double[original.rows()];
      dots = new double[original.rows()];
    }

    void run(int steps) throws InterruptedException {
      rows(this::begin);
      Gemm.set(workspace, change.operand(), h.operand(), product);
      rows(this::firstDirection);
      for (int step = 0; step < steps; step++) {
        Gemm.set(workspace, direction.operand(), h.operand(), product);
        rows(this::step);
      }
      rows(this::rounded);
      Gemm.set(workspace, change.operand(), h.operand(), product);
      rows(this::keepTheBetter);
    }

    private void rows(RowTask task) throws InterruptedException {
      Tasks.run(workers, original.rows(), (row, worker) -> task.run(row));
    }

    private void begin(int row) {
      for (int j = 0; j < h.rows(); j++) {
        put(change, row, j, pruned.get(row, j) - original.get(row, j));
      }
    }

    private void firstDirection(int row) {
      before[row] = dot(change, product, row);
      double rz = 0;
      for (int j = 0; j < h.rows(); j++) {
        float r = isKept(row, j) ? -(get(product, row, j) + damping * get(change, row, j)) : 0;
        float z = r * scale(j);
        put(residual, row, j, r);
        put(direction, row, j, z);
        rz += (double) r * z;
      }
      dots[row] = rz;
    }

    /** A row that has arrived stays where it is. */
    private void step(int row) {
      double curvature = dot(direction, product, row);
      curvature += damping * dot(direction, direction, row);
      float alpha = (float) (dots[row] / curvature);
      if (!(curvature > 0) || !Float.isFinite(alpha)) {
        dots[row] = 0;
        clear(direction, row);
        return;
      }
      double rz = 0;
      for (int j = 0; j < h.rows(); j++) {
        float p = get(direction, row, j);
        put(change, row, j, get(change, row, j) + alpha * p);
        float r = get(residual, row, j) - alpha * (get(product, row, j) + damping * p);
        r = isKept(row, j) ? r : 0;
        put(residual, row, j, r);
        rz += (double) r * (r * scale(j));
      }
      float beta = (float) (rz / dots[row]);
      dots[row] = rz;
      for (int j = 0; j < h.rows(); j++) {
        float z = get(residual, row, j) * scale(j);
        put(direction, row, j, z + beta * get(direction, row, j));
      }
    }

    /** Diagonal preconditioner; a feature that is never used has no residual. */
    private float scale(int j) {
      float diagonal = get(h, j, j) + damping;
      return diagonal > 0 ? 1 / diagonal : 0;
    }

    private void rounded(int row) {
      for (int j = 0; j < h.rows(); j++) {
        float w = original.get(row, j);
        float x = isKept(row, j) ? original.type().round(w + get(change, row, j)) : 0;
        put(residual, row, j, x);
        put(change, row, j, x - w);
      }
    }

    private void keepTheBetter(int row) {
      if (dot(change, product, row) < before[row]) { // not when one of them is NaN
        for (int j = 0; j < h.rows(); j++) {
          pruned.set(row, j, get(residual, row, j));
        }
      }
    }

    private boolean isKept(int row, int j) {
      return pruned.get(row, j) != 0;
    }

    private double dot(FloatMatrix a, FloatMatrix b, int row) {
      double sum = 0;
      for (int j = 0; j < h.rows(); j++) {
        sum += (double) get(a, row, j) * get(b, row, j);
      }
      return sum;
    }
  }

  @FunctionalInterface
  private interface RowTask {
    void run(int row);
  }

  private static void clear(FloatMatrix matrix, int row) {
    matrix.data().asSlice(matrix.offset(row, 0), 4L * matrix.columns()).fill((byte) 0);
  }

  private static float get(FloatMatrix matrix, int row, int j) {
    return F32.load(matrix.data(), matrix.offset(row, j));
  }

  private static void put(FloatMatrix matrix, int row, int j, float value) {
    F32.store(matrix.data(), matrix.offset(row, j), value);
  }
}
