package dev.quern.engine.linalg;

import dev.quern.engine.memory.NativeMemory;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A matrix of f32 in native memory that can be written, row-major: element (r, c) is the float at
 * index {@code r * stride + c} of the memory. Views share the memory of what they are taken from.
 *
 * @param data native memory that begins with element (0, 0); whoever made its arena owns it
 * @param rows at least 0
 * @param columns at least 0
 * @param stride elements from one row to the next, at least {@code columns}
 */
public record FloatMatrix(MemorySegment data, int rows, int columns, int stride) {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int LINE = 16;
  private static final int PAGE = 1024;

  /** Checks that every element lies in the memory. */
  public FloatMatrix {
    Shapes.requireNative(data);
    if (rows < 0 || columns < 0 || stride < columns) {
      throw new IllegalArgumentException(
          "matrix of " + rows + " rows and " + columns + " columns with stride " + stride);
    }
    Shapes.requireRoom(data, rows, columns, stride, 1, Float.BYTES);
  }

  /** A row-major matrix whose rows follow each other without a gap. */
  public static FloatMatrix of(MemorySegment data, int rows, int columns) {
    return new FloatMatrix(data, rows, columns, columns);
  }

  /** A matrix of zeros, every row aligned to 64 bytes, that takes {@link #bytes} bytes. */
  public static FloatMatrix allocate(Arena arena, int rows, int columns) {
    return new FloatMatrix(
        NativeMemory.allocate(arena, bytes(rows, columns)), rows, columns, goodStride(columns));
  }

  /** What {@link #allocate} takes, for a memory budget. */
  public static long bytes(int rows, int columns) {
    return (long) Float.BYTES * rows * goodStride(columns);
  }

  /**
   * Whole cache lines, and no multiple of a page: rows that far apart would share few places in a
   * cache.
   */
  private static int goodStride(int columns) {
    int stride = Math.ceilDiv(columns, LINE) * LINE;
    return stride > 0 && stride % PAGE == 0 ? stride + LINE : stride;
  }

  /** Some rows and columns; writing to them writes to this matrix. */
  public FloatMatrix view(int row, int column, int viewRows, int viewColumns) {
    Shapes.requireInside(rows, columns, row, column, viewRows, viewColumns);
    long skipped = viewRows == 0 || viewColumns == 0 ? 0 : offset(row, column);
    return new FloatMatrix(data.asSlice(skipped), viewRows, viewColumns, stride);
  }

  /** This matrix, to be read. */
  public MatrixOperand operand() {
    return new MatrixOperand(FloatType.F32, data, rows, columns, stride, 1);
  }

  /** This matrix with rows and columns exchanged, to be read. */
  public MatrixOperand transposed() {
    return operand().transposed();
  }

  /** One element. Loops that matter use the memory. */
  public float get(int row, int column) {
    Shapes.requireInside(rows, columns, row, column, 1, 1);
    return data.get(FLOAT, offset(row, column));
  }

  /** Writes one element. Loops that matter use the memory. */
  public void set(int row, int column, float value) {
    Shapes.requireInside(rows, columns, row, column, 1, 1);
    data.set(FLOAT, offset(row, column), value);
  }

  /** Where an element lies, in bytes from the beginning of {@link #data}. */
  public long offset(int row, int column) {
    return ((long) row * stride + column) * Float.BYTES;
  }

  /** Bytes from one row to the next. */
  long strideBytes() {
    return (long) stride * Float.BYTES;
  }

  String shape() {
    return "[" + rows + ", " + columns + "]";
  }
}
