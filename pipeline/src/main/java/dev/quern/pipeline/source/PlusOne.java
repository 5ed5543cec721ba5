package dev.quern.pipeline.source;

import java.lang.foreign.Arena;

/**
 * AutoGPTQ's zero points: its first format stores one less, in {@code bits} bits, so that 0 is
 * stored as all ones. No zero point is as large as {@code 2^bits}, which is what some readers make
 * of it.
 */
record PlusOne(NumberRows stored, int bits) implements NumberRows {
  @Override
  public int cols() {
    return stored.cols();
  }

  @Override
  public long memoryBytes(int rows) {
    return stored.memoryBytes(rows);
  }

  @Override
  public Reader open(int begin, int rows, Arena arena) {
    Reader reader = stored.open(begin, rows, arena);
    int mask = (1 << bits) - 1;
    return (row, target) -> {
      reader.read(row, target);
      for (int i = 0; i < stored.cols(); i++) {
        target[i] = (int) target[i] + 1 & mask;
      }
    };
  }
}
