package dev.quern.engine.sparsity;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Tasks;
import dev.quern.engine.parallel.Workers;
import dev.quern.engine.sparsity.RadixSelect.Threshold;

/**
 * Magnitude pruning: the smallest weights become zero, the others stay as they are.
 *
 * <p>With groups, the N smallest of each M neighbours go. Unstructured, exactly {@code
 * floor(sparsity * rows * columns)} weights of the whole matrix go, the product in binary64. Of
 * equal magnitudes the one with the lower index goes first, row by row.
 *
 * <p>It needs no calibration data and no sorting: a radix selection finds the threshold, see {@link
 * RadixSelect}. The result has the same bits for any number of threads.
 *
 * <p>llm-compressor's {@code MagnitudePruningModifier} masks during training only, and leaves a
 * model that it is given in one shot unchanged; its mask factory would prune all weights that equal
 * the threshold.
 */
public final class Magnitude {
  /** One pass for 16-bit types, two for binary32. Tables of this size stay in the cache. */
  private static final int[] DIGITS_16 = {15};

  private static final int[] DIGITS_32 = {15, 16};

  private Magnitude() {}

  /**
   * Prunes a matrix.
   *
   * @param source weights, all finite
   * @param sparsity share of zeros, from 0 to 1, when unstructured; groups say it themselves
   * @param target receives the pruned weights; of the source's type and shape
   * @throws IllegalArgumentException when shapes or the sparsity do not fit
   * @throws ArithmeticException when a weight is NaN or infinite
   * @throws InterruptedException when the caller was interrupted; the target is unfinished then
   */
  public static void prune(
      Kernels kernels,
      Workers workers,
      WeightMatrix source,
      MaskStructure structure,
      double sparsity,
      WeightMatrix target)
      throws InterruptedException {
    target.requireSameShape(source);
    structure.requireFits(source.columns());
    if (structure.isUnstructured()) {
      long count = Sparsity.count(sparsity, source.elements());
      Threshold threshold = select(kernels, workers, source, count);
      new MatrixPruner(kernels, workers, source, target).below(threshold);
      return;
    }
    FloatType type = source.type();
    Tasks.run(
        workers,
        source.strips(),
        (strip, worker) -> {
          for (int row = source.stripBegin(strip); row < source.stripEnd(strip); row++) {
            source.requireFinite(kernels, row);
            kernels
                .pruning()
                .pruneGroups(
                    type,
                    source.data(),
                    source.offset(row),
                    source.columns(),
                    structure.pruned(),
                    structure.groupSize(),
                    target.data(),
                    target.offset(row));
          }
        });
  }

  private static Threshold select(Kernels kernels, Workers workers, WeightMatrix source, long count)
      throws InterruptedException {
    int[] digits = source.type().bytes() == 2 ? DIGITS_16 : DIGITS_32;
    Tasks.run(
        workers,
        source.strips(),
        (strip, worker) -> {
          for (int row = source.stripBegin(strip); row < source.stripEnd(strip); row++) {
            source.requireFinite(kernels, row);
          }
        });
    return RadixSelect.select(
        count,
        digits,
        (shift, digitBits, prefix, totals) -> {
          Tally[] tallies = new Tally[workers.threads()];
          Tasks.run(
              workers,
              source.strips(),
              (strip, worker) -> {
                if (tallies[worker] == null) {
                  tallies[worker] = new Tally(totals);
                }
                int begin = source.stripBegin(strip);
                int n = (source.stripEnd(strip) - begin) * source.columns();
                tallies[worker].room(n);
                kernels
                    .pruning()
                    .countDigits(
                        source.type(),
                        source.data(),
                        source.offset(begin),
                        n,
                        shift,
                        digitBits,
                        prefix,
                        tallies[worker].counts);
              });
          for (Tally tally : tallies) {
            if (tally != null) {
              tally.flush();
            }
          }
        });
  }

  /** Counts of one worker in ints, handed over to longs before they could overflow. */
  private static final class Tally {
    private final int[] counts;
    private final long[] totals;
    private long counted;

    Tally(long[] totals) {
      this.counts = new int[totals.length];
      this.totals = totals;
    }

    void room(int n) {
      if (counted + n > Integer.MAX_VALUE) {
        flush();
      }
      counted += n;
    }

    void flush() {
      synchronized (totals) {
        for (int digit = 0; digit < counts.length; digit++) {
          totals[digit] += counts[digit];
          counts[digit] = 0;
        }
      }
      counted = 0;
    }
  }
}
