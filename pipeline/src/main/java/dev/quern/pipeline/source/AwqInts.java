package dev.quern.pipeline.source;

import dev.quern.formats.huggingface.SourceTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * AutoAWQ's 4-bit integers, GEMM order: word {@code (k, n / 8)} of I32 {@code [cols, rows / 8]}
 * holds the numbers of eight rows of the weight, interleaved.
 *
 * <pre>
 *   nibble, from the lowest    0 1 2 3 4 5 6 7
 *   row n % 8                  0 2 4 6 1 3 5 7
 * </pre>
 *
 * @param tensor words
 * @param rows rows of the weight, a multiple of 8
 * @param cols numbers in a row
 */
record AwqInts(SourceTensor tensor, int rows, int cols) implements NumberRows {
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  @Override
  public long memoryBytes(int count) {
    return Pages.touched(cols, count / 2 + 8, rows / 2);
  }

  @Override
  public Reader open(int begin, int count, Arena arena) {
    MemorySegment window = tensor.file().map(tensor.info(), 0, tensor.info().bytes(), arena);
    return (row, target) -> {
      int n = begin + row;
      int nibble = n % 8 / 2 + n % 2 * 4;
      long at = 4L * (n / 8);
      for (int c = 0; c < cols; c++) {
        target[c] = window.get(INT, at + c * (rows / 2L)) >>> 4 * nibble & 0xF;
      }
    };
  }
}
