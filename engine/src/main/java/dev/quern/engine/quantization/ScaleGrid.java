package dev.quern.engine.quantization;

/**
 * How the elements of a row-major weight matrix [rows, cols] share scales: one scale for each block
 * of {@code blockRows} x {@code blockCols} elements; blocks at the lower and right edges may be
 * smaller.
 *
 * <p>The strategies of compressed-tensors are special cases: tensor (one block), channel (one row),
 * group (a piece of a row), block (a tile). Scales form a row-major matrix [gridRows, gridCols].
 *
 * @param rows rows of the matrix
 * @param cols columns of the matrix
 * @param blockRows rows of a block, at least 1
 * @param blockCols columns of a block, at least 1
 */
public record ScaleGrid(int rows, int cols, int blockRows, int blockCols) {
  /** Checks the ranges. */
  public ScaleGrid {
    if (rows < 0 || cols < 0 || blockRows < 1 || blockCols < 1) {
      throw new IllegalArgumentException(
          "matrix ["
              + rows
              + ", "
              + cols
              + "] in blocks of ["
              + blockRows
              + ", "
              + blockCols
              + "]");
    }
  }

  /** One scale for the whole matrix. */
  public static ScaleGrid tensor(int rows, int cols) {
    return new ScaleGrid(rows, cols, Math.max(1, rows), Math.max(1, cols));
  }

  /** One scale for each row, that is, for each output channel. */
  public static ScaleGrid channel(int rows, int cols) {
    return new ScaleGrid(rows, cols, 1, Math.max(1, cols));
  }

  /** One scale for each tile. */
  public static ScaleGrid block(int rows, int cols, int blockRows, int blockCols) {
    return new ScaleGrid(rows, cols, blockRows, blockCols);
  }

  /** Rows of the matrix of scales. */
  public int gridRows() {
    return Math.ceilDiv(rows, blockRows);
  }

  /** Columns of the matrix of scales. */
  public int gridCols() {
    return Math.ceilDiv(cols, blockCols);
  }

  /**
   * The same grid for some rows of the matrix only; they begin at a multiple of {@link #blockRows}.
   */
  public ScaleGrid strip(int stripRows) {
    return new ScaleGrid(stripRows, cols, blockRows, blockCols);
  }

  /** First row of a grid row. */
  public int rowBegin(int gridRow) {
    return gridRow * blockRows;
  }

  /** One past the last row of a grid row. */
  public int rowEnd(int gridRow) {
    return (int) Math.min(rows, (gridRow + 1L) * blockRows);
  }

  /** First column of a grid column. */
  public int colBegin(int gridCol) {
    return gridCol * blockCols;
  }

  /** One past the last column of a grid column. */
  public int colEnd(int gridCol) {
    return (int) Math.min(cols, (gridCol + 1L) * blockCols);
  }
}
