package dev.quern.engine.solver;

/**
 * In which order GPTQ goes through the columns; {@code actorder} of compressed-tensors. Columns
 * that matter most, those with the largest diagonal elements of the Hessian, may go first, while
 * many columns are left to make up for their errors.
 */
public enum ActivationOrder {
  /** As they lie in the matrix. */
  NONE,

  /**
   * Largest diagonal element first; groups remain neighbours in the matrix. Also called {@code
   * weight}; the default of the reference.
   */
  STATIC,

  /**
   * Largest diagonal element first, and groups are neighbours in that order: the file says by
   * {@code weight_g_idx} which group a column is in. Also called {@code dynamic}.
   */
  GROUP
}
