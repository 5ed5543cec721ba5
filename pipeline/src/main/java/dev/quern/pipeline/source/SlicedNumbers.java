package dev.quern.pipeline.source;

import java.lang.foreign.Arena;

/**
 * Rows {@code first}, {@code first + step}, {@code first + 2 * step}, ... of other numbers: one
 * expert's rows, or every second of them.
 */
record SlicedNumbers(NumberRows all, int first, int step) implements NumberRows {
  @Override
  public int cols() {
    return all.cols();
  }

  @Override
  public long memoryBytes(int rows) {
    return all.memoryBytes((rows - 1) * step + 1);
  }

  @Override
  public Reader open(int begin, int rows, Arena arena) {
    Reader reader = all.open(first + begin * step, (rows - 1) * step + 1, arena);
    return (row, target) -> reader.read(row * step, target);
  }
}
