package dev.quern.engine.solver;

import dev.quern.engine.linalg.FloatMatrix;
import java.lang.foreign.MemorySegment;

/**
 * What becomes of the columns of a matrix, the one thing in which GPTQ, SparseGPT and their joint
 * form differ: given a column of weights, the weights that will be stored. The {@link Sweep} does
 * the rest: it makes the columns to come make up for the difference.
 *
 * <p>Columns are numbered in the order in which the sweep goes through them. Matrices here are
 * transposed: a row of a {@link FloatMatrix} is a column of the weights, and its elements are the
 * rows of the weights, padded with zeros to {@link Sweep#paddedRows}.
 *
 * <p>{@link #enter} and {@link #store} are called for strips of rows by several threads at a time;
 * what they write must belong to the strip's rows. What they do to a row must not depend on the
 * strip that it comes in, and then no result depends on threads.
 */
public interface ColumnRule {
  /**
   * How many columns are decided on together: {@link #enter} is called at every multiple, and a
   * block begins at one. 1 when each column is a matter of its own.
   */
  default int step() {
    return 1;
  }

  /**
   * Called by one thread before the columns of a block are gone through.
   *
   * @param weights columns {@code begin} to {@code end} of all rows, with the errors of all columns
   *     before {@code begin} made up for; a view that may be written to
   * @param begin first column of the block
   * @param end one past its last
   */
  default void enterBlock(FloatMatrix weights, int begin, int end) throws InterruptedException {}

  /**
   * Called for a strip of rows when {@code columns} columns from a multiple of {@link #step} on
   * have the errors of all columns before them made up for.
   *
   * @param column the first
   * @param columns {@link #step}, or fewer at the end of the matrix
   * @param row first row of the strip
   * @param rows rows of the strip
   * @param weights the columns, {@code stride} bytes apart, binary32
   */
  default void enter(
      int column,
      int columns,
      int row,
      int rows,
      MemorySegment weights,
      long weightsOffset,
      long stride) {}

  /**
   * Decides on one column of a strip of rows.
   *
   * @param column the column
   * @param row first row of the strip
   * @param rows rows of the strip, a multiple of {@link Sweep#ROW_MULTIPLE}
   * @param weights the column as it has become, binary32
   * @param stored receives the weights that will be stored, binary32
   */
  void store(
      int column,
      int row,
      int rows,
      MemorySegment weights,
      long weightsOffset,
      MemorySegment stored,
      long storedOffset);
}
