package dev.quern.pipeline.source;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.formats.huggingface.SourceTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * FP4 E2M1 numbers, two in a byte: the even column in the low nibble.
 *
 * <pre>
 *   nibble  s mmm     mmm   0  1   2  3   4  5  6  7
 *                     value 0  0.5 1  1.5 2  3  4  6
 * </pre>
 *
 * @param tensor bytes, U8, each row of the weight in {@code cols / 2} of them
 * @param cols numbers in a row, even
 */
record Fp4Numbers(SourceTensor tensor, int cols) implements NumberRows {
  private static final float[] VALUES = {
    0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0f, -0.5f, -1, -1.5f, -2, -3, -4, -6
  };

  @Override
  public long memoryBytes(int rows) {
    return rows * (cols / 2L);
  }

  @Override
  public Reader open(int begin, int rows, Arena arena) {
    long rowBytes = cols / 2;
    MemorySegment window =
        tensor.file().map(tensor.info(), begin * rowBytes, rows * rowBytes, arena);
    return (row, target) -> {
      for (int i = 0; i < rowBytes; i++) {
        int pair = window.get(JAVA_BYTE, row * rowBytes + i) & 0xFF;
        target[2 * i] = VALUES[pair & 0xF];
        target[2 * i + 1] = VALUES[pair >>> 4];
      }
    };
  }
}
