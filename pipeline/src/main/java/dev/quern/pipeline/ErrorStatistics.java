package dev.quern.pipeline;

import dev.quern.engine.kernel.ErrorSums;
import java.math.BigDecimal;
import java.math.MathContext;

/**
 * How far compressed weights are from their source.
 *
 * @param elements weights compared
 * @param meanRelativeError sum of the magnitudes of all errors over the sum of the magnitudes of
 *     all weights
 * @param worstRelativeError largest error of a weight over the largest magnitude that its row's
 *     scales can express
 * @param signalToNoiseDb 10 log10 of the weights' energy over the errors' energy; infinite without
 *     errors
 */
public record ErrorStatistics(
    long elements, double meanRelativeError, double worstRelativeError, double signalToNoiseDb) {
  /** Adds up pieces of one kind; not thread-safe. */
  static final class Sum {
    private long count;
    private double squaredError;
    private double squaredOriginal;
    private double absoluteError;
    private double absoluteOriginal;
    private double worst;

    void add(ErrorSums piece, double worstRelative) {
      count += piece.count;
      squaredError += piece.squaredError;
      squaredOriginal += piece.squaredOriginal;
      absoluteError += piece.absoluteError;
      absoluteOriginal += piece.absoluteOriginal;
      worst = Math.max(worst, worstRelative);
    }

    void add(Sum other) {
      count += other.count;
      squaredError += other.squaredError;
      squaredOriginal += other.squaredOriginal;
      absoluteError += other.absoluteError;
      absoluteOriginal += other.absoluteOriginal;
      worst = Math.max(worst, other.worst);
    }

    ErrorStatistics statistics() {
      if (absoluteError == 0) {
        return new ErrorStatistics(count, 0, 0, Double.POSITIVE_INFINITY);
      }
      double ratio = squaredOriginal / squaredError;
      // An error may be too small beside the others for its square to count: then the ratio is not
      // known.
      boolean known = squaredError > 0 && Double.isFinite(ratio) && ratio > 0;
      return new ErrorStatistics(
          count,
          rounded(absoluteError / absoluteOriginal),
          rounded(worst),
          known ? rounded(10 * Math.log10(ratio)) : Double.NaN);
    }

    // The last digits of a sum depend on how the work was cut, which depends on threads and memory.
    private static double rounded(double value) {
      return Double.isFinite(value)
          ? new BigDecimal(value).round(new MathContext(6)).doubleValue()
          : value;
    }
  }
}
