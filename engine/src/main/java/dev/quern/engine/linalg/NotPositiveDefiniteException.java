package dev.quern.engine.linalg;

import java.util.Locale;

/** A matrix has no Cholesky factor in binary32: a pivot is not a positive finite number. */
public final class NotPositiveDefiniteException extends ArithmeticException {
  private static final long serialVersionUID = 1;

  private final int row;

  NotPositiveDefiniteException(int row, int rows, String remedy) {
    super(
        String.format(
            Locale.ROOT,
            "the [%d, %d] matrix is not positive definite: pivot %d, counted from 0, is not a"
                + " positive finite number; %s",
            rows,
            rows,
            row,
            remedy));
    this.row = row;
  }

  /** The row of the pivot, from 0. */
  public int row() {
    return row;
  }
}
