package dev.quern.engine.kernel;

import java.lang.foreign.MemorySegment;

/**
 * Bulk operations on masks of columns, for solvers that decide which weights stay while they go
 * through a matrix column by column. {@link ScalarMaskKernels} is their definition; every other
 * provider equals it bit for bit, for every input.
 *
 * <p>A column is a run of {@code n} binary32, one for each row of the matrix; its mask is a run of
 * {@code n} bytes, 0 where the weight is pruned and -1 where it is kept. Scores are compared as bit
 * patterns without their sign, as in {@link PruneKernels}. The rules of {@link Kernels} for memory,
 * offsets and threads hold here too; strides and offsets count bytes.
 */
public interface MaskKernels {
  /**
   * What it would cost to prune the weights of a column: {@code |weight| / pivot}, which orders as
   * SparseGPT's {@code weight² / pivot²} does, and does not overflow. No score is below the
   * smallest positive number, so that 0 is left for weights that are pruned already.
   *
   * @param pivot positive
   * @param scores receives one binary32 a row
   */
  void scores(
      MemorySegment column,
      long columnOffset,
      int n,
      float pivot,
      MemorySegment scores,
      long scoresOffset);

  /**
   * Prunes, in each row, the {@code prune} smallest of some columns; of equal scores the one in the
   * earlier column.
   *
   * @param scores {@code columns} columns, {@code scoreStride} bytes apart
   * @param mask receives as many masks, {@code maskStride} bytes apart
   */
  void smallest(
      MemorySegment scores,
      long scoresOffset,
      long scoreStride,
      int columns,
      int n,
      int prune,
      MemorySegment mask,
      long maskOffset,
      long maskStride);

  /**
   * Prunes what scores below a threshold.
   *
   * @param threshold a sign-less pattern of binary32, or one more than the largest
   */
  void below(
      MemorySegment scores, long scoresOffset, int n, int threshold, MemorySegment mask, long to);

  /**
   * Applies a mask: what is kept keeps its bits, what is pruned becomes +0.
   *
   * @param target receives the column; may be the column itself
   */
  void apply(
      MemorySegment column,
      long columnOffset,
      MemorySegment mask,
      long maskOffset,
      int n,
      MemorySegment target,
      long targetOffset);
}
