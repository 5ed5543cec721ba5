package dev.quern.engine.solver;

import dev.quern.engine.sparsity.MaskStructure;

/**
 * How SparseGPT prunes a layer. {@link #reference} does what llm-compressor does by default; the
 * options that it does not have are off there.
 *
 * @param structure where zeros may lie
 * @param sparsity share of zeros, from 0 to 1, when unstructured; groups say it themselves
 * @param order in which columns are gone through: {@link ActivationOrder#NONE}, or {@link
 *     ActivationOrder#STATIC}, those that matter most first, the columns of a group together
 * @param blockSize columns over which an unstructured share is met; between groups it changes no
 *     result
 * @param dampening what is added to the Hessian's diagonal, in units of its mean
 * @param preserveMask whether weights that are zero stay so; {@code preserve_sparsity_mask}
 * @param refit steps of the refit of the kept weights after the sweep, {@link MaskRefit}; 0 for
 *     none
 */
public record SparseGptOptions(
    MaskStructure structure,
    double sparsity,
    ActivationOrder order,
    int blockSize,
    float dampening,
    boolean preserveMask,
    int refit) {
  /** Checks the ranges. */
  public SparseGptOptions {
    if (order == ActivationOrder.GROUP) {
      throw new IllegalArgumentException(
          "actorder group is about scales, and a pruned matrix has none; choose none or static");
    }
    if (blockSize < 1) {
      throw new IllegalArgumentException("block size " + blockSize + "; at least 1 expected");
    }
    if (!(dampening >= 0) || dampening == Float.POSITIVE_INFINITY) {
      throw new IllegalArgumentException(
          "dampening " + dampening + "; a finite number of at least 0 expected");
    }
    if (refit < 0) {
      throw new IllegalArgumentException(refit + " steps of the refit; at least 0 expected");
    }
  }

  /** Columns as they lie, blocks of 128, dampening 0.01. */
  public static SparseGptOptions reference(MaskStructure structure, double sparsity) {
    return new SparseGptOptions(structure, sparsity, ActivationOrder.NONE, 128, 0.01f, false, 0);
  }

  /** The same with another share. */
  public SparseGptOptions withSparsity(double other) {
    return new SparseGptOptions(structure, other, order, blockSize, dampening, preserveMask, refit);
  }

  /** The same with another order. */
  public SparseGptOptions withOrder(ActivationOrder other) {
    return new SparseGptOptions(
        structure, sparsity, other, blockSize, dampening, preserveMask, refit);
  }

  /** The same with another block size. */
  public SparseGptOptions withBlockSize(int other) {
    return new SparseGptOptions(structure, sparsity, order, other, dampening, preserveMask, refit);
  }

  /** The same with another dampening. */
  public SparseGptOptions withDampening(float other) {
    return new SparseGptOptions(structure, sparsity, order, blockSize, other, preserveMask, refit);
  }

  /** The same with zeros that stay, or not. */
  public SparseGptOptions withPreserveMask(boolean on) {
    return new SparseGptOptions(structure, sparsity, order, blockSize, dampening, on, refit);
  }

  /** The same with so many steps of the refit. */
  public SparseGptOptions withRefit(int steps) {
    return new SparseGptOptions(
        structure, sparsity, order, blockSize, dampening, preserveMask, steps);
  }

  /** Columns that the order keeps together. */
  int run() {
    return structure.isUnstructured() ? 1 : structure.groupSize();
  }
}
