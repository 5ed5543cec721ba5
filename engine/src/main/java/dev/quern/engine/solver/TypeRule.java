package dev.quern.engine.solver;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.memory.NativeMemory;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The rule of weights that are not quantized: they are rounded to their type, to nearest even, and
 * what that costs is made up for like any other error.
 */
final class TypeRule implements ColumnRule {
  private final Kernels kernels;
  private final FloatType type;
  private final int padded;
  private final MemorySegment weights;

  TypeRule(Arena arena, Kernels kernels, FloatType type, int rows, int columns) {
    this.kernels = kernels;
    this.type = type;
    this.padded = Sweep.paddedRows(rows);
    this.weights = NativeMemory.allocate(arena, (long) columns * padded * type.bytes());
  }

  /** What is stored, of the type, [columns in the order of the sweep, padded rows]. */
  MemorySegment weights() {
    return weights;
  }

  @Override
  public void store(
      int column,
      int row,
      int rows,
      MemorySegment column32,
      long columnOffset,
      MemorySegment stored,
      long storedOffset) {
    long at = ((long) column * padded + row) * type.bytes();
    kernels.convert(FloatType.F32, column32, columnOffset, rows, type, weights, at);
    kernels.convert(type, weights, at, rows, FloatType.F32, stored, storedOffset);
  }
}
