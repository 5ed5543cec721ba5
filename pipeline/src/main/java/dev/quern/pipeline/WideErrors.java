package dev.quern.pipeline;

import dev.quern.engine.kernel.ErrorSums;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;

/**
 * The sums of a row whose weights are so small or so large that their squares, or those of their
 * errors, leave binary32, in which the kernels add: the same in binary64. No model has such rows
 * but in tests and by mistake.
 */
final class WideErrors {
  // An error may be a thousandth of its weight, and squares end at 1e-38 and 3e38.
  private static final double SMALLEST_MEAN = 1e-14;
  private static final double LARGEST_MEAN = 1e14;

  private WideErrors() {}

  /** Whether the sums of a row cannot be trusted. */
  static boolean isNeeded(ErrorSums row) {
    double mean = row.absoluteOriginal / row.count;
    return mean > 0 && !(mean >= SMALLEST_MEAN && mean <= LARGEST_MEAN);
  }

  /** Replaces the sums; what was found of the largest error stays. */
  static void replaceSums(
      FloatType type,
      MemorySegment original,
      long originalOffset,
      MemorySegment approximation,
      ErrorSums row) {
    row.squaredError = 0;
    row.squaredOriginal = 0;
    row.absoluteError = 0;
    row.absoluteOriginal = 0;
    for (long i = 0; i < row.count; i++) {
      double x = type.load(original, originalOffset + i * type.bytes());
      double error = type.load(approximation, i * type.bytes()) - x;
      row.squaredError += error * error;
      row.squaredOriginal += x * x;
      row.absoluteError += Math.abs(error);
      row.absoluteOriginal += Math.abs(x);
    }
  }
}
