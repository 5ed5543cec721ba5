package dev.quern.engine.kernel;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;

/**
 * Bulk operations that set weights to zero: by groups of a row, or below a threshold, each by the
 * magnitude of the weight or by a score beside it. {@link ScalarPruneKernels} is their definition;
 * every other provider equals it bit for bit, for every input.
 *
 * <p>Magnitudes and scores are compared as bit patterns without their sign, which order like the
 * values; NaN lies above infinity. A weight that is pruned becomes +0; one that is kept keeps its
 * bits. Scores are binary32, and their signs are ignored.
 *
 * <p><b>Ties.</b> Of equal magnitudes the one with the lower index is pruned first.
 *
 * <p>A call works on a whole row. Memory, offsets and threads are as in {@link Kernels}.
 */
public interface PruneKernels {
  /**
   * The scores of Wanda: {@code |weight| * columnScale}, one product rounded to binary32.
   *
   * @param columnScales one finite number a column, not negative
   * @param scores receives {@code n} binary32
   */
  void scores(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      float[] columnScales,
      MemorySegment scores,
      long scoresOffset);

  /**
   * Prunes the {@code prune} smallest weights of each group of neighbours.
   *
   * @param n a multiple of {@code groupSize}
   * @param prune from 0 to {@code groupSize}
   */
  void pruneGroups(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      int prune,
      int groupSize,
      MemorySegment target,
      long targetOffset);

  /** Prunes the weights with the {@code prune} smallest scores of each group of neighbours. */
  void pruneGroupsByScore(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      MemorySegment scores,
      long scoresOffset,
      int n,
      int prune,
      int groupSize,
      MemorySegment target,
      long targetOffset);

  /**
   * Prunes the weights whose magnitude is below a threshold.
   *
   * @param threshold a sign-less pattern of {@code type}, or one more than the largest, which
   *     prunes all
   */
  void pruneBelow(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      int threshold,
      MemorySegment target,
      long targetOffset);

  /**
   * Prunes the weights whose score is below a threshold.
   *
   * @param threshold a sign-less pattern of binary32, or one more than the largest
   */
  void pruneBelowByScore(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      MemorySegment scores,
      long scoresOffset,
      int n,
      int threshold,
      MemorySegment target,
      long targetOffset);

  /** How many elements have exactly this magnitude, a sign-less pattern. */
  int countEqual(FloatType type, MemorySegment source, long sourceOffset, int n, int magnitude);

  /**
   * One pass of a radix selection: of the elements whose magnitude, shifted right by {@code shift +
   * digitBits}, is {@code prefix}, counts how many have each digit of {@code digitBits} bits.
   *
   * @param counts {@code 2^digitBits} numbers, to which the counts are added
   */
  void countDigits(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      int shift,
      int digitBits,
      int prefix,
      int[] counts);
}
