package dev.quern.engine.kernel;

import java.util.Arrays;

/**
 * Where the elements of a matrix go: each binary digit of the row's number has a stride of its own,
 * and so has each of the column's.
 *
 * <pre>
 *   position(r, c) = sum over i of digit i of r * rows[i]       + (r >> rows.length)    * rowTile
 *                  + sum over i of digit i of c * columns[i]    + (c >> columns.length) * columnTile
 * </pre>
 *
 * <p>Byte orders of GPU kernels are of this kind, because a kernel cuts a matrix into tiles and
 * deals their elements to threads, registers and bytes by powers of two. It is what CuTe calls a
 * layout, with modes of size 2 inside a tile.
 *
 * @param rows strides of the digits of the row inside a tile, lowest digit first, in elements
 * @param rowTile stride from a tile to the one below it
 * @param columns strides of the digits of the column inside a tile, lowest digit first
 * @param columnTile stride from a tile to the one on its right
 */
public record IndexStrides(long[] rows, long rowTile, long[] columns, long columnTile) {
  /** Copies the arrays. */
  public IndexStrides {
    rows = rows.clone();
    columns = columns.clone();
  }

  /** Rows of a tile: a power of two. */
  public int tileRows() {
    return 1 << rows.length;
  }

  /** Columns of a tile: a power of two. */
  public int tileColumns() {
    return 1 << columns.length;
  }

  /** What the row contributes to the position of an element. */
  public long ofRow(long row) {
    return digits(rows, row) + (row >> rows.length) * rowTile;
  }

  /** What the column contributes to the position of an element. */
  public long ofColumn(long column) {
    return digits(columns, column) + (column >> columns.length) * columnTile;
  }

  /** Where the element goes, counted in elements. */
  public long position(long row, long column) {
    return ofRow(row) + ofColumn(column);
  }

  private static long digits(long[] strides, long index) {
    long sum = 0;
    for (int i = 0; i < strides.length; i++) {
      sum += (index >> i & 1) * strides[i];
    }
    return sum;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof IndexStrides o
        && Arrays.equals(rows, o.rows)
        && rowTile == o.rowTile
        && Arrays.equals(columns, o.columns)
        && columnTile == o.columnTile;
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(rows) + Arrays.hashCode(columns) + Long.hashCode(columnTile);
  }

  @Override
  public String toString() {
    return "rows "
        + Arrays.toString(rows)
        + " and "
        + rowTile
        + " a tile, columns "
        + Arrays.toString(columns)
        + " and "
        + columnTile
        + " a tile";
  }
}
