package dev.quern.engine.kernel;

import java.lang.foreign.MemorySegment;

/**
 * Elements of a matrix moved to where a GPU kernel wants them, and back. {@link
 * ScalarLayoutKernels} is the definition; every other provider equals it bit for bit.
 *
 * <p>The matrix has rows of elements of {@code bits} bits, 1, 2, 4, 8, 16, 32 or 64, without gaps
 * between them, lowest bits of a byte first: element {@code c} begins at bit {@code c * bits} of
 * its row, and rows begin {@code rowBytes} bytes apart. In the other memory, element {@code (r, c)}
 * begins at bit {@code strides.position(r, c) * bits}. No two elements may share a position.
 *
 * <p>Memory, offsets and threads are as in {@link Kernels}, but a call allocates a few small
 * tables. Threads may share the work by tiles: a call can begin at any row that is a multiple of
 * {@link IndexStrides#tileRows()}, and two threads must not write the same byte.
 */
public interface LayoutKernels {
  /**
   * Moves elements from rows to their positions.
   *
   * @param source memory of the rows
   * @param sourceOffset byte at which row {@code firstRow} begins
   * @param rowBytes bytes from a row to the next
   * @param firstRow number of the first row, a multiple of the tile's rows
   * @param rows number of rows
   * @param columns elements of a row
   * @param targetOffset byte of position 0
   */
  void scatter(
      int bits,
      MemorySegment source,
      long sourceOffset,
      long rowBytes,
      long firstRow,
      long rows,
      long columns,
      IndexStrides strides,
      MemorySegment target,
      long targetOffset);

  /**
   * Moves elements from their positions back to rows: the inverse of {@link #scatter}. Bits of a
   * row behind its last element are left as they are, inside the last byte too.
   *
   * @param sourceOffset byte of position 0
   * @param targetOffset byte at which row {@code firstRow} begins
   */
  void gather(
      int bits,
      MemorySegment source,
      long sourceOffset,
      IndexStrides strides,
      long firstRow,
      long rows,
      long columns,
      MemorySegment target,
      long targetOffset,
      long rowBytes);
}
