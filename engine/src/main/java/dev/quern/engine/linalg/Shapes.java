package dev.quern.engine.linalg;

import java.lang.foreign.MemorySegment;
import java.util.Locale;

/** Checks of shapes and memory, before anything is computed. */
final class Shapes {
  private Shapes() {}

  static void requireNative(MemorySegment data) {
    if (!data.isNative()) {
      throw new IllegalArgumentException("a matrix lies in native memory, and this is on the heap");
    }
  }

  static void requireRoom(
      MemorySegment data,
      int rows,
      int columns,
      long rowStride,
      long columnStride,
      int elementBytes) {
    if (rows == 0 || columns == 0) {
      return;
    }
    // Strides are those of memory that exists, so nothing overflows that is not refused here.
    long last = Math.multiplyExact(rows - 1L, rowStride);
    last = Math.addExact(last, Math.multiplyExact(columns - 1L, columnStride));
    long needed = Math.multiplyExact(last + 1, elementBytes);
    if (needed > data.byteSize()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "a [%d, %d] matrix with strides %d and %d needs %d bytes, and its memory has %d",
              rows,
              columns,
              rowStride,
              columnStride,
              needed,
              data.byteSize()));
    }
  }

  static void requireInside(
      int rows, int columns, int row, int column, int viewRows, int viewColumns) {
    if (row < 0
        || column < 0
        || viewRows < 0
        || viewColumns < 0
        || row > rows - viewRows
        || column > columns - viewColumns) {
      throw new IndexOutOfBoundsException(
          String.format(
              Locale.ROOT,
              "%d rows from %d and %d columns from %d of a [%d, %d] matrix",
              viewRows,
              row,
              viewColumns,
              column,
              rows,
              columns));
    }
  }

  static void requireSquare(String what, FloatMatrix matrix) {
    if (matrix.rows() != matrix.columns()) {
      throw new IllegalArgumentException(what + " must be square, and it is " + matrix.shape());
    }
  }

  /** The shapes of {@code C = A B}. */
  static void requireProduct(MatrixOperand a, MatrixOperand b, FloatMatrix c) {
    if (a.columns() != b.rows() || a.rows() != c.rows() || b.columns() != c.columns()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "a product of %s and %s cannot go into %s",
              a.shape(),
              b.shape(),
              c.shape()));
    }
  }

  /** Refuses a target that shares an element with what is read. */
  static void requireApart(MatrixOperand read, FloatMatrix written) {
    if (read.rows() == 0 || read.columns() == 0 || written.rows() == 0 || written.columns() == 0) {
      return;
    }
    boolean rowMajor = read.columnStride() == 1;
    Rectangle source =
        new Rectangle(
            read.data().address(),
            rowMajor ? read.rows() : read.columns(),
            (rowMajor ? read.columns() : read.rows()) * (long) read.type().bytes(),
            (rowMajor ? read.rowStride() : read.columnStride()) * read.type().bytes());
    Rectangle target =
        new Rectangle(
            written.data().address(),
            written.rows(),
            written.columns() * 4L,
            written.strideBytes());
    if (source.overlaps(target)) {
      throw new IllegalArgumentException(
          "the target " + written.shape() + " overlaps the operand " + read.shape());
    }
  }

  /** Rows of bytes, a stride apart. */
  private record Rectangle(long address, long rows, long width, long stride) {
    long end() {
      return address + (rows - 1) * stride + width;
    }

    boolean overlaps(Rectangle other) {
      if (end() <= other.address || other.end() <= address) {
        return false;
      }
      if (stride != other.stride || width > stride || other.width > stride) {
        return true; // rows that drift against each other: taken to meet
      }
      // The other one's first row begins in row q of the grid of this one, at byte r; it may reach
      // into the columns of the next row.
      long q = Math.floorDiv(other.address - address, stride);
      long r = Math.floorMod(other.address - address, stride);
      return (r < width && meets(q, other.rows))
          || (r + other.width > stride && meets(q + 1, other.rows));
    }

    private boolean meets(long firstRow, long otherRows) {
      return firstRow < rows && firstRow + otherRows > 0;
    }
  }
}
