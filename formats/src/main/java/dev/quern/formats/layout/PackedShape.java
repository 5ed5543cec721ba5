package dev.quern.formats.layout;

import dev.quern.engine.numeric.DType;
import java.util.Arrays;
import java.util.List;

/**
 * The size of a matrix, and of the tensor that a layout makes of it.
 *
 * @param rows rows of the logical matrix
 * @param columns its columns
 * @param paddedRows rows that the tensor has room for
 * @param paddedColumns columns that the tensor has room for
 * @param dtype type under which the tensor is declared
 * @param dimensions of the tensor, outermost first
 */
public record PackedShape(
    long rows,
    long columns,
    long paddedRows,
    long paddedColumns,
    DType dtype,
    List<Long> dimensions) {
  /** Copies the list. */
  public PackedShape {
    dimensions = List.copyOf(dimensions);
    if (rows < 1 || columns < 1) {
      throw new IllegalArgumentException("expected a matrix, found " + rows + " x " + columns);
    }
    if (paddedRows < rows || paddedColumns < columns) {
      throw new IllegalArgumentException("padding cannot make a matrix smaller");
    }
  }

  /**
   * A shape whose padding is checked against a layout's tiles.
   *
   * @throws IllegalArgumentException when the padded extents are no multiples of the tile, or
   *     smaller than the matrix
   */
  static PackedShape of(
      Layout layout,
      long rows,
      long columns,
      long paddedRows,
      long paddedColumns,
      DType dtype,
      long... dimensions) {
    if (paddedRows % layout.tileRows() != 0 || paddedColumns % layout.tileColumns() != 0) {
      throw new IllegalArgumentException(
          layout.id()
              + ": expected padding to multiples of "
              + layout.tileRows()
              + " x "
              + layout.tileColumns()
              + ", found "
              + paddedRows
              + " x "
              + paddedColumns);
    }
    List<Long> list = Arrays.stream(dimensions).boxed().toList();
    return new PackedShape(rows, columns, paddedRows, paddedColumns, dtype, list);
  }

  /** Bytes of the tensor. */
  public long bytes() {
    long elements = dimensions.stream().reduce(1L, Math::multiplyExact);
    return Math.multiplyExact(elements, dtype.bits()) / 8;
  }

  /** Whether the tensor has room for more than the matrix. */
  public boolean padded() {
    return paddedRows != rows || paddedColumns != columns;
  }
}
