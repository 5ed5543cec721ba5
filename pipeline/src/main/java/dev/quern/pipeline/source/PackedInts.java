package dev.quern.pipeline.source;

import dev.quern.formats.huggingface.SourceTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Unsigned integers of 1 to 8 bits in strings of 32-bit words: integer {@code i} of a string is at
 * its bits {@code i * bits} to {@code i * bits + bits - 1}, bit 0 being the lowest of the first
 * word, so an integer may straddle two words.
 *
 * <pre>
 *   3 bits   word 0   10 10 9 9 9 8 8 8 ... 1 1 1 0 0 0     word 1   ... 11 11 11 10
 * </pre>
 *
 * <p>The words of a string stand side by side in a row of the file, or below each other in a
 * column; the string runs along a row of the weight, or across its rows.
 *
 * @param tensor words, I32 {@code [words, columns]}
 * @param bits bits of an integer
 * @param cols numbers in a row of the weight
 * @param alongRow whether a string runs along a row of the weight; else across the rows
 * @param wordsBelow whether the words of a string stand below each other
 * @param offset added to each integer
 */
record PackedInts(
    SourceTensor tensor, int bits, int cols, boolean alongRow, boolean wordsBelow, float offset)
    implements NumberRows {
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Words that a string of {@code values} integers takes. */
  static long words(long values, int bits) {
    return Math.ceilDiv(values * bits, 32L);
  }

  private long fileRowBytes() {
    return 4 * tensor.info().dim(1);
  }

  @Override
  public long memoryBytes(int rows) {
    if (alongRow) {
      return wordsBelow
          ? Pages.touched(tensor.info().dim(0), 4L * rows, fileRowBytes())
          : rows * fileRowBytes();
    }
    return wordsBelow
        ? (words(rows, bits) + 1) * fileRowBytes()
        : Pages.touched(tensor.info().dim(0), 4 * (words(rows, bits) + 1), fileRowBytes());
  }

  @Override
  public Reader open(int begin, int rows, Arena arena) {
    long wordStep = wordsBelow ? fileRowBytes() : 4;
    long stringStep = wordsBelow ? 4 : fileRowBytes();
    if (alongRow) {
      long from = begin * stringStep;
      long length = wordsBelow ? tensor.info().bytes() - from : rows * stringStep;
      MemorySegment window = tensor.file().map(tensor.info(), from, length, arena);
      return (row, target) -> readString(window, row * stringStep, wordStep, target);
    }
    MemorySegment window = tensor.file().map(tensor.info(), 0, tensor.info().bytes(), arena);
    return (row, target) -> {
      long bit = (long) (begin + row) * bits;
      for (int c = 0; c < cols; c++) {
        target[c] = value(window, c * stringStep, wordStep, bit) + offset;
      }
    };
  }

  private void readString(MemorySegment window, long base, long wordStep, float[] target) {
    if (32 % bits == 0) {
      int perWord = 32 / bits;
      int mask = (1 << bits) - 1;
      for (int c = 0; c < cols; ) {
        int word = window.get(INT, base + c / perWord * wordStep);
        for (int end = Math.min(cols, c + perWord); c < end; c++) {
          target[c] = (word & mask) + offset;
          word >>>= bits;
        }
      }
      return;
    }
    for (int c = 0; c < cols; c++) {
      target[c] = value(window, base, wordStep, (long) c * bits) + offset;
    }
  }

  private int value(MemorySegment window, long base, long wordStep, long bit) {
    long at = base + (bit >>> 5) * wordStep;
    int shift = (int) (bit & 31);
    int value = window.get(INT, at) >>> shift;
    if (shift + bits > 32) {
      value |= window.get(INT, at + wordStep) << (32 - shift);
    }
    return value & ((1 << bits) - 1);
  }
}
