package dev.quern.pipeline;

import dev.quern.engine.kernel.ErrorSums;
import dev.quern.pipeline.report.Deviation;
import java.util.Map;
import java.util.TreeMap;

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
  /** The figures of sums. */
  static ErrorStatistics of(Deviation sums) {
    return new ErrorStatistics(
        sums.weights(),
        sums.meanRelativeError(),
        sums.worstRelativeError(),
        sums.signalToNoiseDb());
  }

  /**
   * From modules to kinds of layers, such as {@code q_proj}.
   *
   * @param modules sums by the modules' full names
   */
  static Map<String, ErrorStatistics> byKind(Map<String, Deviation> modules) {
    Map<String, Deviation> kinds = new TreeMap<>();
    modules.forEach(
        (module, sums) ->
            kinds.merge(module.substring(module.lastIndexOf('.') + 1), sums, Deviation::plus));
    Map<String, ErrorStatistics> statistics = new TreeMap<>();
    kinds.forEach((kind, sums) -> statistics.put(kind, of(sums)));
    return statistics;
  }

  /** The sums of a row of weights. */
  static Deviation row(ErrorSums sums, double worstRelative) {
    return new Deviation(
        sums.count,
        sums.absoluteError,
        sums.absoluteOriginal,
        sums.squaredError,
        sums.squaredOriginal,
        worstRelative);
  }
}
