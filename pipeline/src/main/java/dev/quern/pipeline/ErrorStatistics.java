package dev.quern.pipeline;

import dev.quern.engine.kernel.ErrorSums;

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
    private final ErrorSums sums = new ErrorSums();
    private double worst;

    void add(ErrorSums piece, double worstRelative) {
      sums.add(piece);
      worst = Math.max(worst, worstRelative);
    }

    void add(Sum other) {
      add(other.sums, other.worst);
    }

    ErrorStatistics statistics() {
      double mean = sums.absoluteError == 0 ? 0 : sums.absoluteError / sums.absoluteOriginal;
      double snr =
          sums.squaredError == 0
              ? Double.POSITIVE_INFINITY
              : 10 * Math.log10(sums.squaredOriginal / sums.squaredError);
      return new ErrorStatistics(sums.count, mean, worst, snr);
    }
  }
}
