package dev.quern.engine.kernel;

import java.util.Arrays;

/**
 * What a comparison of an approximation with its original adds up; see {@link Kernels#addErrors}.
 */
public final class ErrorSums {
  /** Nothing compared yet. */
  public ErrorSums() {}

  /** Elements compared. */
  public long count;

  /** Sum of squared errors. */
  public double squaredError;

  /** Sum of squares of the original. */
  public double squaredOriginal;

  /** Sum of magnitudes of the errors. */
  public double absoluteError;

  /** Sum of magnitudes of the original. */
  public double absoluteOriginal;

  /** Largest magnitude of an error; NaN once an error was NaN. */
  public float maxError;

  /**
   * Largest {@code |error| - relativeBound * |original|}; NaN once an error was NaN.
   *
   * <p>With the relative half-step of a format as the bound, this must not exceed its absolute
   * half-step near zero.
   */
  public float excess = Float.NEGATIVE_INFINITY;

  /**
   * Binary32 sums of the current run, one a lane; written by a provider before {@link #addLanes}.
   */
  public final float[] squaredErrorLanes = new float[ScalarKernels.ERROR_LANES];

  /** As {@link #squaredErrorLanes}. */
  public final float[] squaredOriginalLanes = new float[ScalarKernels.ERROR_LANES];

  /** As {@link #squaredErrorLanes}. */
  public final float[] absoluteErrorLanes = new float[ScalarKernels.ERROR_LANES];

  /** As {@link #squaredErrorLanes}. */
  public final float[] absoluteOriginalLanes = new float[ScalarKernels.ERROR_LANES];

  /** Begins a run. */
  public void clearLanes() {
    Arrays.fill(squaredErrorLanes, 0);
    Arrays.fill(squaredOriginalLanes, 0);
    Arrays.fill(absoluteErrorLanes, 0);
    Arrays.fill(absoluteOriginalLanes, 0);
  }

  /** Adds the lanes of a run to the sums, in ascending order. */
  public void addLanes() {
    for (int lane = 0; lane < ScalarKernels.ERROR_LANES; lane++) {
      squaredError += squaredErrorLanes[lane];
      squaredOriginal += squaredOriginalLanes[lane];
      absoluteError += absoluteErrorLanes[lane];
      absoluteOriginal += absoluteOriginalLanes[lane];
    }
  }

  /** Adds what another comparison found; the order of additions is the caller's. */
  public void add(ErrorSums other) {
    count += other.count;
    squaredError += other.squaredError;
    squaredOriginal += other.squaredOriginal;
    absoluteError += other.absoluteError;
    absoluteOriginal += other.absoluteOriginal;
    maxError = Math.max(maxError, other.maxError);
    excess = Math.max(excess, other.excess);
  }

  /** Forgets everything. */
  public void clear() {
    count = 0;
    squaredError = 0;
    squaredOriginal = 0;
    absoluteError = 0;
    absoluteOriginal = 0;
    maxError = 0;
    excess = Float.NEGATIVE_INFINITY;
  }
}
