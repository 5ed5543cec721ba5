package dev.quern.formats.layout;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.SparseKernels;
import java.lang.foreign.MemorySegment;

/**
 * 2:4 sparse matrices, taken apart: of each four neighbours of a row, the two kept values, and a
 * nibble {@code first + 4 * second} that says which they were.
 *
 * <pre>
 *   dense   0  a  0  b   0  0  0  0   c  d  0  0
 *   values  a  b         0  0         c  d
 *   nibble  0b1101       0b1110       0b0100
 * </pre>
 *
 * <p>With fewer than two that are not zero the pair is the one that torch 2.13 writes; any would
 * mean the same. Of a negative zero that is not kept, the sign is lost. Nibbles lie in rows, the
 * earliest lowest; {@link SparseLayouts} puts them into the order of a GPU's kernel.
 */
public final class SemiStructured {
  private SemiStructured() {}

  /** Bytes of the values of a matrix. */
  public static long valueBytes(SparseKernels.Element element, long rows, long columns) {
    requireQuads(columns);
    return rows * columns / 2 * element.bytes();
  }

  /** Bytes of a row of nibbles. */
  public static long nibbleBytes(long columns) {
    requireQuads(columns);
    return Math.ceilDiv(columns / 4, 2);
  }

  /**
   * Takes a matrix apart.
   *
   * @param dense rows without gaps
   * @param columns a multiple of 4
   * @param values receives {@link #valueBytes}, row by row
   * @param nibbles receives {@link #nibbleBytes} for each row
   * @throws IllegalArgumentException when a group of four has more than two that are not zero; the
   *     message says where
   */
  public static void compress(
      SparseKernels.Element element,
      MemorySegment dense,
      long rows,
      long columns,
      MemorySegment values,
      MemorySegment nibbles) {
    requireQuads(columns);
    long rowBytes = columns * element.bytes();
    long nibbleBytes = nibbleBytes(columns);
    SparseKernels kernels = Kernels.best().sparse();
    for (long row = 0; row < rows; row++) {
      long wrong =
          kernels.compress24(
              element,
              dense,
              row * rowBytes,
              columns,
              values,
              row * rowBytes / 2,
              nibbles,
              row * nibbleBytes);
      if (wrong >= 0) {
        throw new IllegalArgumentException(
            "row "
                + row
                + ", columns "
                + wrong
                + " to "
                + (wrong + 3)
                + ": more than two are not zero, which 2:4 does not allow; prune the matrix to 2:4"
                + " first");
      }
    }
  }

  /**
   * Puts a matrix together: the inverse of {@link #compress}.
   *
   * @param dense receives the rows
   * @throws IllegalArgumentException when a nibble says what none can
   */
  public static void decompress(
      SparseKernels.Element element,
      MemorySegment values,
      MemorySegment nibbles,
      long rows,
      long columns,
      MemorySegment dense) {
    requireQuads(columns);
    long rowBytes = columns * element.bytes();
    long nibbleBytes = nibbleBytes(columns);
    SparseKernels kernels = Kernels.best().sparse();
    for (long row = 0; row < rows; row++) {
      long wrong =
          kernels.decompress24(
              element,
              values,
              row * rowBytes / 2,
              nibbles,
              row * nibbleBytes,
              columns,
              dense,
              row * rowBytes);
      if (wrong >= 0) {
        throw new IllegalArgumentException(
            "row "
                + row
                + ", columns "
                + wrong
                + " to "
                + (wrong + 3)
                + ": the nibble names no pair in ascending order; the metadata is damaged, or in"
                + " the order of a kernel");
      }
    }
  }

  private static void requireQuads(long columns) {
    if (columns < 4 || columns % 4 != 0) {
      throw new IllegalArgumentException(
          "expected columns by fours, found " + columns + "; leave this matrix dense");
    }
  }
}
