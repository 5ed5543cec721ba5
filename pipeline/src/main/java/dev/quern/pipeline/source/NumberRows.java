package dev.quern.pipeline.source;

import java.lang.foreign.Arena;

/**
 * A matrix of numbers, stored in some way: codes, scales or zero points. Its rows are those of the
 * weight that it belongs to, whatever the order in the file.
 *
 * <p>Safe for use by several threads; a {@link Reader} belongs to one.
 */
interface NumberRows {
  /** Numbers in a row. */
  int cols();

  /** The most memory that reading {@code rows} rows one after the other occupies. */
  long memoryBytes(int rows);

  /** Maps what rows {@code begin} to {@code begin + rows - 1} need, for the arena's life. */
  Reader open(int begin, int rows, Arena arena);

  /** Gives rows of what was opened. */
  interface Reader {
    /**
     * Decodes one row; every stored number is exact in binary32.
     *
     * @param row counted from the first row that was opened
     * @param target receives {@link NumberRows#cols} numbers
     */
    void read(int row, float[] target);
  }
}
