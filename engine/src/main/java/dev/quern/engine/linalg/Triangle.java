package dev.quern.engine.linalg;

/** A half of a square matrix, the diagonal included. */
public enum Triangle {
  /** Row index at least column index. */
  LOWER,

  /** Row index at most column index. */
  UPPER
}
