package dev.quern.engine.sparsity;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;

/**
 * A weight matrix as a checkpoint has it: row-major [rows, columns] of {@code type}, native memory,
 * little-endian, of any alignment.
 *
 * @param type of the weights
 * @param rows output channels
 * @param columns input channels
 * @param data the weights
 */
public record WeightMatrix(FloatType type, int rows, int columns, MemorySegment data) {
  /** Elements of a task: enough to outweigh its start, few enough to share among threads. */
  private static final int STRIP_ELEMENTS = 1 << 18;

  /** Checks that the data are as long as the shape says. */
  public WeightMatrix {
    if (rows < 0 || columns < 0) {
      throw new IllegalArgumentException("a matrix [" + rows + ", " + columns + "]");
    }
    long expected = (long) rows * columns * type.bytes();
    if (data.byteSize() != expected) {
      throw new IllegalArgumentException(
          type
              + " weights ["
              + rows
              + ", "
              + columns
              + "] take "
              + expected
              + " bytes; found "
              + data.byteSize());
    }
  }

  /** All elements. */
  public long elements() {
    return (long) rows * columns;
  }

  long rowBytes() {
    return (long) columns * type.bytes();
  }

  /** Where a row begins, in bytes. */
  public long offset(int row) {
    return row * rowBytes();
  }

  /** One element. Loops that matter use the data. */
  public float get(int row, int column) {
    return type.load(data, offset(row) + (long) column * type.bytes());
  }

  /** Rounds and writes one element. */
  public void set(int row, int column, float value) {
    type.store(data, offset(row) + (long) column * type.bytes(), value);
  }

  /**
   * Checks that this can take what is made of {@code source}.
   *
   * @throws IllegalArgumentException when type or shape differ
   */
  public void requireSameShape(WeightMatrix source) {
    if (type != source.type || rows != source.rows || columns != source.columns) {
      throw new IllegalArgumentException(
          "the result is " + describe() + "; expected " + source.describe() + ", as the source");
    }
  }

  private String describe() {
    return type + " [" + rows + ", " + columns + "]";
  }

  /** Rows of a task. Depends on the shape alone, so that results do not depend on threads. */
  int stripRows() {
    return Math.max(1, STRIP_ELEMENTS / Math.max(1, columns));
  }

  int strips() {
    return Math.ceilDiv(rows, stripRows());
  }

  int stripBegin(int strip) {
    return strip * stripRows();
  }

  int stripEnd(int strip) {
    return (int) Math.min(rows, (strip + 1L) * stripRows());
  }

  /**
   * Checks a row.
   *
   * @throws ArithmeticException when a weight of the row is NaN or infinite, with its place
   */
  public void requireFinite(Kernels kernels, int row) {
    if (kernels.absMaxBits(type, data, offset(row), columns) < type.infinityBits()) {
      return;
    }
    for (int col = 0; col < columns; col++) {
      float value = get(row, col);
      if (!Float.isFinite(value)) {
        throw new ArithmeticException(
            "weight [" + row + ", " + col + "] is " + value + "; only finite weights are pruned");
      }
    }
  }
}
