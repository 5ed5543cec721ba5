package dev.quern.engine.kernel;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;

/** The definition's loops, but for the one that gains from another shape. */
final class PlainPruneKernels extends ScalarPruneKernels {
  @Override
  public void countDigits(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      int shift,
      int digitBits,
      int prefix,
      int[] counts) {
    DigitCounts.add(type, source, sourceOffset, n, shift, digitBits, prefix, counts);
  }
}
