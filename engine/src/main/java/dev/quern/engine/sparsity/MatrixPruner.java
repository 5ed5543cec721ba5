package dev.quern.engine.sparsity;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.ScalarPruneKernels;
import dev.quern.engine.parallel.Tasks;
import dev.quern.engine.parallel.Workers;
import dev.quern.engine.sparsity.RadixSelect.Threshold;

/**
 * Applies one threshold to a whole matrix. Where only some of the weights that equal it may go,
 * they are counted by strips first; then every strip knows whether all of its go, none, or some,
 * and only the one strip in which they run out looks at single elements.
 */
final class MatrixPruner {
  private final Kernels kernels;
  private final Workers workers;
  private final WeightMatrix source;
  private final WeightMatrix target;

  MatrixPruner(Kernels kernels, Workers workers, WeightMatrix source, WeightMatrix target) {
    this.kernels = kernels;
    this.workers = workers;
    this.source = source;
    this.target = target;
  }

  void below(Threshold threshold) throws InterruptedException {
    if (threshold.takesAllEqual()) {
      Tasks.run(workers, source.strips(), (strip, worker) -> rows(strip, threshold.exclusive()));
      return;
    }
    int[] equal = new int[source.strips()];
    Tasks.run(
        workers, source.strips(), (strip, worker) -> equal[strip] = countEqual(strip, threshold));
    long[] ties = new long[equal.length]; // that may still go where a strip begins
    long left = threshold.ties();
    for (int strip = 0; strip < ties.length; strip++) {
      ties[strip] = left;
      left = Math.max(0, left - equal[strip]);
    }
    Tasks.run(
        workers,
        source.strips(),
        (strip, worker) -> {
          if (ties[strip] == 0) {
            rows(strip, threshold.bits());
          } else if (ties[strip] >= equal[strip]) {
            rows(strip, threshold.bits() + 1);
          } else {
            elements(strip, threshold.bits(), ties[strip]);
          }
        });
  }

  private int countEqual(int strip, Threshold threshold) {
    int begin = source.stripBegin(strip);
    int n = (source.stripEnd(strip) - begin) * source.columns();
    return kernels
        .pruning()
        .countEqual(source.type(), source.data(), source.offset(begin), n, threshold.bits());
  }

  private void rows(int strip, int threshold) {
    for (int row = source.stripBegin(strip); row < source.stripEnd(strip); row++) {
      kernels
          .pruning()
          .pruneBelow(
              source.type(),
              source.data(),
              source.offset(row),
              source.columns(),
              threshold,
              target.data(),
              target.offset(row));
    }
  }

  private void elements(int strip, int threshold, long ties) {
    int begin = source.stripBegin(strip);
    int n = (source.stripEnd(strip) - begin) * source.columns();
    long left = ties;
    for (int i = 0; i < n; i++) {
      long at = source.offset(begin) + (long) i * source.type().bytes();
      int magnitude = source.type().loadBits(source.data(), at) & source.type().signlessMask();
      boolean tie = magnitude == threshold && left > 0;
      left -= tie ? 1 : 0;
      ScalarPruneKernels.keepOrZero(
          source.type(),
          source.data(),
          source.offset(begin),
          i,
          magnitude >= threshold && !tie,
          target.data(),
          target.offset(begin));
    }
  }
}
