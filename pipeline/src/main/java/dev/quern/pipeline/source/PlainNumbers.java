package dev.quern.pipeline.source;

import dev.quern.formats.huggingface.SourceTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Numbers that lie one by one in the order of the weight's rows: {@code [rows, cols]}, {@code [rows
 * / n, cols]} when each stored row serves {@code n} rows, or one row for all.
 *
 * @param tensor where they are
 * @param cols numbers in a row
 * @param shared how many rows of the weight each stored row serves
 */
record PlainNumbers(SourceTensor tensor, int cols, int shared) implements NumberRows {
  /** One row of the file for each row. */
  static PlainNumbers of(SourceTensor tensor, int cols) {
    return new PlainNumbers(tensor, cols, 1);
  }

  /** One number for everything. */
  static PlainNumbers single(SourceTensor tensor) {
    return new PlainNumbers(tensor, 1, Integer.MAX_VALUE);
  }

  private long rowBytes() {
    return (long) cols * tensor.info().dtype().bits() / 8;
  }

  @Override
  public long memoryBytes(int rows) {
    return ((rows - 1) / shared + 2) * rowBytes();
  }

  @Override
  public Reader open(int begin, int rows, Arena arena) {
    int first = begin / shared;
    int stored = (begin + rows - 1) / shared - first + 1;
    MemorySegment window =
        tensor.file().map(tensor.info(), first * rowBytes(), stored * rowBytes(), arena);
    int step = tensor.info().dtype().bits() / 8;
    return (row, target) ->
        Elements.read(
            tensor.info().dtype(),
            window,
            ((begin + row) / shared - first) * rowBytes(),
            step,
            cols,
            target);
  }
}
