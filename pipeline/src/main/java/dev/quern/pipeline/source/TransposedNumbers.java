package dev.quern.pipeline.source;

import dev.quern.formats.huggingface.SourceTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Numbers that lie one by one as {@code [cols, rows]}: each row of the weight is a column of the
 * file.
 *
 * @param tensor where they are
 * @param rows rows of the weight
 * @param cols numbers in a row
 */
record TransposedNumbers(SourceTensor tensor, int rows, int cols) implements NumberRows {
  @Override
  public long memoryBytes(int count) {
    return Pages.touched(cols, (long) count * bytes(), (long) rows * bytes());
  }

  private int bytes() {
    return tensor.info().dtype().bits() / 8;
  }

  @Override
  public Reader open(int begin, int count, Arena arena) {
    MemorySegment window = tensor.file().map(tensor.info(), 0, tensor.info().bytes(), arena);
    return (row, target) ->
        Elements.read(
            tensor.info().dtype(),
            window,
            (long) (begin + row) * bytes(),
            (long) rows * bytes(),
            cols,
            target);
  }
}
