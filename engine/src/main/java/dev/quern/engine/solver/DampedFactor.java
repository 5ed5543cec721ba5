package dev.quern.engine.solver;

import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.linalg.InverseFactor;
import dev.quern.engine.linalg.Workspace;
import dev.quern.engine.parallel.Workers;
import java.lang.foreign.Arena;

/**
 * What a {@link Sweep} walks along: the factor of the damped inverse Hessian.
 *
 * @param u upper triangular, {@code UᵀU = (H + dampening mean I)⁻¹}
 * @param dampening in units of the mean of the diagonal; more than was asked for when the Hessian
 *     would not be factored otherwise
 */
record DampedFactor(FloatMatrix u, float dampening) {
  /**
   * Factors, and sets to zero the weights of columns that are never used.
   *
   * @param order of the sweep
   * @param weights transposed, in that order
   */
  static DampedFactor of(
      Arena arena,
      Workers workers,
      Workspace workspace,
      Hessian hessian,
      int[] order,
      FloatMatrix weights,
      float dampening)
      throws InterruptedException {
    int n = order.length;
    FloatMatrix h = FloatMatrix.allocate(arena, n, n);
    hessian.copyLower(workers, order, h);
    double mean = hessian.meanDiagonal();
    for (int j = 0; j < n; j++) {
      if (hessian.isDead(order[j])) {
        h.set(j, j, 1);
        weights.data().asSlice(weights.offset(j, 0), 4L * weights.columns()).fill((byte) 0);
      }
    }
    InverseFactor damped = InverseFactor.compute(workspace, h, (float) (dampening * mean));
    return new DampedFactor(h, (float) (damped.damping() / mean));
  }

  /** The diagonal of U. */
  float[] pivots() {
    float[] pivots = new float[u.rows()];
    for (int j = 0; j < pivots.length; j++) {
      pivots[j] = u.get(j, j);
    }
    return pivots;
  }
}
