package dev.quern.formats.layout;

import java.lang.foreign.MemorySegment;

/**
 * A named bijection from the bits of a logical matrix to the bits of the tensor that a kernel
 * reads.
 *
 * <p>The logical matrix has {@code rows} rows of {@code columns} elements of {@link #bits()} bits.
 * Element {@code c} of a row begins at bit {@code c * bits} of the row, bit {@code t} of a row is
 * bit {@code t % 8} of its byte {@code t / 8}, and rows begin {@code rowBytes} bytes apart. For a
 * weight, rows are outputs (n) and columns inputs (k); for scales, columns are groups.
 *
 * <p>The tensor has elements for a padded matrix. What lies behind the logical one has code 0.
 *
 * <p>Memory may be on the heap or not, little-endian, of any alignment. Source and target do not
 * overlap. Calls are thread-safe.
 */
public interface Layout {
  /** Name and version, such as {@code marlin-i4-a16@1}. */
  String id();

  /** Bits of an element, 1 to 64. */
  int bits();

  /** The tensor's rows are a multiple of this. */
  int tileRows();

  /** The tensor's columns are a multiple of this. */
  int tileColumns();

  /**
   * The tensor for a matrix of this size, with no more padding than the layout itself needs.
   *
   * @throws IllegalArgumentException when there is no such matrix
   */
  default PackedShape shape(long rows, long columns) {
    long paddedRows = Math.ceilDiv(rows, tileRows()) * tileRows();
    long paddedColumns = Math.ceilDiv(columns, tileColumns()) * tileColumns();
    return shape(rows, columns, paddedRows, paddedColumns);
  }

  /**
   * The tensor for a matrix of this size with padding that the caller chose, because the kernel
   * wants more.
   *
   * @param paddedRows at least {@code rows}, a multiple of {@link #tileRows()}
   * @param paddedColumns at least {@code columns}, a multiple of {@link #tileColumns()}
   * @throws IllegalArgumentException when they are not
   */
  PackedShape shape(long rows, long columns, long paddedRows, long paddedColumns);

  /**
   * The law: where a bit of an element goes.
   *
   * @param row 0 to {@link PackedShape#paddedRows()} - 1
   * @param column 0 to {@link PackedShape#paddedColumns()} - 1
   * @param bit of the element's code, 0 the lowest
   * @return number of the bit in the tensor: bit {@code t % 8} of byte {@code t / 8}
   */
  long bit(PackedShape shape, long row, long column, int bit);

  /** The code that is stored for a logical code: a bijection on {@link #bits()} bits. */
  default long encode(long code) {
    return code;
  }

  /** The logical code of a stored one: the inverse of {@link #encode}. */
  default long decode(long stored) {
    return stored;
  }

  /**
   * Packs a matrix.
   *
   * @param shape what {@link #shape} gave for it
   * @param source the rows
   * @param rowBytes bytes from a row to the next
   * @param target receives {@link PackedShape#bytes()} bytes
   * @throws IllegalArgumentException when a segment is too short
   */
  default void pack(PackedShape shape, MemorySegment source, long rowBytes, MemorySegment target) {
    LayoutLaw.pack(this, shape, source, rowBytes, target);
  }

  /**
   * Unpacks a matrix: the inverse of {@link #pack}. All bits of a row's {@code rowBytes} that are
   * no elements become zero.
   *
   * @param source {@link PackedShape#bytes()} bytes
   * @param target receives the rows
   */
  default void unpack(
      PackedShape shape, MemorySegment source, MemorySegment target, long rowBytes) {
    LayoutLaw.unpack(this, shape, source, target, rowBytes);
  }
}
