package dev.quern.pipeline.source;

import dev.quern.formats.huggingface.SourceTensor;
import java.lang.foreign.Arena;

/**
 * NVFP4's scales in two levels: those of the groups, times or divided by the one of the whole
 * tensor, in binary32.
 *
 * @param groups FP8 scales
 * @param whole one F32 value
 * @param divides whether the whole tensor's scale divides, as compressed-tensors stores it, or
 *     multiplies, as ModelOpt does
 */
record ScaledNumbers(NumberRows groups, SourceTensor whole, boolean divides) implements NumberRows {
  @Override
  public int cols() {
    return groups.cols();
  }

  @Override
  public long memoryBytes(int rows) {
    return groups.memoryBytes(rows) + whole.info().bytes();
  }

  @Override
  public Reader open(int begin, int rows, Arena arena) {
    Reader reader = groups.open(begin, rows, arena);
    float[] factor = new float[1];
    PlainNumbers.single(whole).open(0, 1, arena).read(0, factor);
    return (row, target) -> {
      reader.read(row, target);
      for (int i = 0; i < groups.cols(); i++) {
        target[i] = divides ? target[i] / factor[0] : target[i] * factor[0];
      }
    };
  }
}
