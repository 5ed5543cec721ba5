package dev.quern.engine.quantization;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;

/** A weight that is NaN or infinite, for which no scale exists. */
public final class NonFiniteWeightException extends ArithmeticException {
  private static final long serialVersionUID = 1L;

  private final int row;
  private final int col;
  private final float value;

  NonFiniteWeightException(int row, int col, float value) {
    super("weight [" + row + ", " + col + "] is " + value);
    this.row = row;
    this.col = col;
    this.value = value;
  }

  /** The first such weight of a block that is known to hold one. */
  static NonFiniteWeightException find(
      FloatType type, MemorySegment source, ScaleGrid grid, int gridRow, int gridCol) {
    for (int row = grid.rowBegin(gridRow); row < grid.rowEnd(gridRow); row++) {
      for (int col = grid.colBegin(gridCol); col < grid.colEnd(gridCol); col++) {
        float value = type.load(source, ((long) row * grid.cols() + col) * type.bytes());
        if (!Float.isFinite(value)) {
          return new NonFiniteWeightException(row, col, value);
        }
      }
    }
    throw new IllegalArgumentException("block " + gridRow + ", " + gridCol + " is finite");
  }

  /** Row within the matrix that was quantized, from 0. */
  public int row() {
    return row;
  }

  /** Column, from 0. */
  public int col() {
    return col;
  }

  /** NaN or an infinity. */
  public float value() {
    return value;
  }
}
