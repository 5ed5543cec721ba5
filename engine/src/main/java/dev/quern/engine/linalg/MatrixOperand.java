package dev.quern.engine.linalg;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import java.util.Locale;

/**
 * A matrix that is read: bf16, f16 or f32 in native memory, as it lies there or transposed. Element
 * (r, c) lies {@code r * rowStride + c * columnStride} elements behind the first.
 *
 * @param type of the elements
 * @param data native memory that begins with element (0, 0)
 * @param rows at least 0
 * @param columns at least 0
 * @param rowStride elements from one row to the next
 * @param columnStride elements from one column to the next
 */
public record MatrixOperand(
    FloatType type, MemorySegment data, int rows, int columns, long rowStride, long columnStride) {

  /** Checks that every element lies in the memory. */
  public MatrixOperand {
    Shapes.requireNative(data);
    if (rows < 0 || columns < 0 || rowStride < 0 || columnStride < 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "matrix of %d rows and %d columns with strides %d and %d; none may be negative",
              rows,
              columns,
              rowStride,
              columnStride));
    }
    Shapes.requireRoom(data, rows, columns, rowStride, columnStride, type.bytes());
  }

  /** A row-major matrix whose rows follow each other without a gap. */
  public static MatrixOperand of(FloatType type, MemorySegment data, int rows, int columns) {
    return new MatrixOperand(type, data, rows, columns, columns, 1);
  }

  /** The same elements with rows and columns exchanged. */
  public MatrixOperand transposed() {
    return new MatrixOperand(type, data, columns, rows, columnStride, rowStride);
  }

  /** Some rows and columns of this matrix. */
  public MatrixOperand view(int row, int column, int viewRows, int viewColumns) {
    Shapes.requireInside(rows, columns, row, column, viewRows, viewColumns);
    long skipped = viewRows == 0 || viewColumns == 0 ? 0 : row * rowStride + column * columnStride;
    return new MatrixOperand(
        type, data.asSlice(skipped * type.bytes()), viewRows, viewColumns, rowStride, columnStride);
  }

  /** The value of one element. */
  public float get(int row, int column) {
    Shapes.requireInside(rows, columns, row, column, 1, 1);
    return type.load(data, (row * rowStride + column * columnStride) * type.bytes());
  }

  String shape() {
    return "[" + rows + ", " + columns + "]";
  }
}
