package dev.quern.pipeline.report;

import java.math.BigDecimal;
import java.math.MathContext;

/**
 * Sums over weights and their errors, from which figures for a matrix, a layer or a kind of layers
 * are made.
 *
 * @param weights how many were compared
 * @param absoluteError sum of the errors' magnitudes
 * @param absoluteWeight sum of the weights' magnitudes
 * @param squaredError sum of the errors' squares
 * @param squaredWeight sum of the weights' squares
 * @param worst largest error of a weight over the largest magnitude that its row's scales express
 */
public record Deviation(
    long weights,
    double absoluteError,
    double absoluteWeight,
    double squaredError,
    double squaredWeight,
    double worst) {
  /** Of no weights. */
  public static final Deviation NONE = new Deviation(0, 0, 0, 0, 0, 0);

  private static final MathContext DIGITS = new MathContext(6);

  /** Of these weights and those. */
  public Deviation plus(Deviation other) {
    return new Deviation(
        weights + other.weights,
        absoluteError + other.absoluteError,
        absoluteWeight + other.absoluteWeight,
        squaredError + other.squaredError,
        squaredWeight + other.squaredWeight,
        Math.max(worst, other.worst));
  }

  /** Sum of the errors' magnitudes over that of the weights'; 0 without errors. */
  public double meanRelativeError() {
    return absoluteError == 0 ? 0 : rounded(absoluteError / absoluteWeight);
  }

  /** The worst error, to six digits. */
  public double worstRelativeError() {
    return rounded(worst);
  }

  /**
   * {@code 10 log10} of the weights' energy over the errors'; infinite without errors, NaN when an
   * error is too small beside the others for its square to count.
   */
  public double signalToNoiseDb() {
    if (absoluteError == 0) {
      return Double.POSITIVE_INFINITY;
    }
    double ratio = squaredWeight / squaredError;
    boolean known = squaredError > 0 && Double.isFinite(ratio) && ratio > 0;
    return known ? rounded(10 * Math.log10(ratio)) : Double.NaN;
  }

  /** The last digits of a sum depend on how the work was cut; six do not. */
  private static double rounded(double value) {
    return Double.isFinite(value) ? new BigDecimal(value).round(DIGITS).doubleValue() : value;
  }
}
