package dev.quern.engine.sparsity;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.PruneKernels;
import dev.quern.engine.kernel.ScalarPruneKernels;
import dev.quern.engine.kernel.ThreadBuffer;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Tasks;
import dev.quern.engine.parallel.Workers;
import dev.quern.engine.sparsity.RadixSelect.Threshold;
import java.lang.foreign.MemorySegment;

/**
 * Wanda: weights are pruned by {@code |weight| * norm of the input channel}, in binary32, and those
 * that stay are not changed.
 *
 * <p>With groups, the N smallest scores of each M neighbours go; unstructured, {@code
 * floor(sparsity * columns)} of each row. Of equal scores the one with the lower index goes first,
 * which for whole rows is the reference's stable sort; its {@code torch.topk} of a group has no
 * order that could be stated.
 *
 * <p>Source: llm-compressor, {@code wanda_sparsify.sparsify_weight}; Sun et al., "A Simple and
 * Effective Pruning Approach for Large Language Models".
 */
public final class Wanda {
  private static final int[] DIGITS = {11, 10, 10};
  private static final ThreadBuffer SCORES = new ThreadBuffer();

  private Wanda() {}

  /**
   * Prunes a matrix.
   *
   * @param source weights, all finite
   * @param rowScalars mean squares of the input channels, {@link ActivationNorms#rowScalars}; the
   *     diagonal of a Hessian does as well, since a common factor changes nothing
   * @param sparsity share of zeros, from 0 to 1, when unstructured; groups say it themselves
   * @param target receives the pruned weights; of the source's type and shape
   * @throws IllegalArgumentException when shapes or the sparsity do not fit, or the channels' mean
   *     squares are not finite, negative, or all zero
   * @throws ArithmeticException when a weight is NaN or infinite
   * @throws InterruptedException when the caller was interrupted; the target is unfinished then
   */
  public static void prune(
      Kernels kernels,
      Workers workers,
      WeightMatrix source,
      float[] rowScalars,
      MaskStructure structure,
      double sparsity,
      WeightMatrix target)
      throws InterruptedException {
    target.requireSameShape(source);
    structure.requireFits(source.columns());
    int count = (int) Sparsity.count(sparsity, source.columns());
    float[] columnScales = columnScales(rowScalars, source.columns());
    Tasks.run(
        workers,
        source.strips(),
        (strip, worker) -> {
          MemorySegment scores = SCORES.atLeast(4L * source.columns());
          int[] counts = new int[1 << DIGITS[0]];
          for (int row = source.stripBegin(strip); row < source.stripEnd(strip); row++) {
            source.requireFinite(kernels, row);
            kernels
                .pruning()
                .scores(
                    source.type(),
                    source.data(),
                    source.offset(row),
                    source.columns(),
                    columnScales,
                    scores,
                    0);
            if (structure.isUnstructured()) {
              row(kernels.pruning(), source, row, scores, count, counts, target);
            } else {
              groups(kernels.pruning(), source, row, scores, structure, target);
            }
          }
        });
  }

  /** Square roots, rounded to binary32. */
  private static float[] columnScales(float[] rowScalars, int columns) {
    if (rowScalars.length != columns) {
      throw new IllegalArgumentException(
          rowScalars.length + " input channels were measured; the weights have " + columns);
    }
    float[] scales = new float[columns];
    boolean allZero = columns > 0;
    for (int col = 0; col < columns; col++) {
      if (!(rowScalars[col] >= 0 && rowScalars[col] < Float.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            "mean square of input channel "
                + col
                + " is "
                + rowScalars[col]
                + "; expected a finite number that is not negative");
      }
      scales[col] = (float) Math.sqrt(rowScalars[col]);
      allZero &= scales[col] == 0;
    }
    if (allZero) {
      throw new IllegalArgumentException(
          "all input channels are zero, so all weights score the same; calibrate with data that"
              + " reaches this layer, or prune it by magnitude");
    }
    return scales;
  }

  private static void groups(
      PruneKernels kernels,
      WeightMatrix source,
      int row,
      MemorySegment scores,
      MaskStructure structure,
      WeightMatrix target) {
    kernels.pruneGroupsByScore(
        source.type(),
        source.data(),
        source.offset(row),
        scores,
        0,
        source.columns(),
        structure.pruned(),
        structure.groupSize(),
        target.data(),
        target.offset(row));
  }

  private static void row(
      PruneKernels kernels,
      WeightMatrix source,
      int row,
      MemorySegment scores,
      int count,
      int[] counts,
      WeightMatrix target) {
    int n = source.columns();
    Threshold threshold =
        RadixSelect.select(
            count,
            DIGITS,
            (shift, digitBits, prefix, totals) -> {
              kernels.countDigits(FloatType.F32, scores, 0, n, shift, digitBits, prefix, counts);
              for (int digit = 0; digit < totals.length; digit++) {
                totals[digit] = counts[digit];
                counts[digit] = 0;
              }
            });
    if (threshold.takesAllEqual()) {
      kernels.pruneBelowByScore(
          source.type(),
          source.data(),
          source.offset(row),
          scores,
          0,
          n,
          threshold.exclusive(),
          target.data(),
          target.offset(row));
      return;
    }
    long ties = threshold.ties();
    for (int i = 0; i < n; i++) {
      int score = FloatType.F32.loadBits(scores, 4L * i);
      boolean tie = score == threshold.bits() && ties > 0;
      ties -= tie ? 1 : 0;
      boolean kept = score >= threshold.bits() && !tie;
      ScalarPruneKernels.keepOrZero(
          source.type(),
          source.data(),
          source.offset(row),
          i,
          kept,
          target.data(),
          target.offset(row));
    }
  }
}
