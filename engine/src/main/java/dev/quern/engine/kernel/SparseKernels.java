package dev.quern.engine.kernel;

import java.lang.foreign.MemorySegment;

/**
 * Rows with at most two of each four neighbours that are not zero (2:4), and the same rows as kept
 * values and nibbles. {@link ScalarSparseKernels} is the definition; every other provider equals it
 * bit for bit.
 *
 * <p>A nibble is {@code first + 4 * second}: the places, 0 to 3, of the two values that are kept,
 * in ascending order. Two nibbles make a byte, the earlier one lower; behind an odd number of them
 * is a zero. Which pair is kept when fewer than two are not zero is part of the definition. Memory,
 * offsets and threads are as in {@link Kernels}.
 */
public interface SparseKernels {
  /** What an element is, which decides whether it is zero. */
  enum Element {
    /** 16-bit floats, f16 or bf16; both zeros are zero. */
    FLOAT16(2),
    /** 8-bit floats, both zeros being zero. */
    FLOAT8(1),
    /** int8. */
    INT8(1);

    private final int bytes;

    Element(int bytes) {
      this.bytes = bytes;
    }

    /** Bytes of one. */
    public int bytes() {
      return bytes;
    }
  }

  /**
   * Takes a row apart.
   *
   * @param n elements of the row, a multiple of 4
   * @param values receives n/2 elements
   * @param nibbles receives ceil(n/8) bytes
   * @return -1, or the first element of the first four of which more than two are not zero; what
   *     has been written then means nothing
   */
  long compress24(
      Element element,
      MemorySegment row,
      long rowOffset,
      long n,
      MemorySegment values,
      long valuesOffset,
      MemorySegment nibbles,
      long nibblesOffset);

  /**
   * Puts a row together.
   *
   * @param n elements of the row, a multiple of 4
   * @param row receives n elements
   * @return -1, or the first element of the first four whose nibble is no ascending pair; what has
   *     been written then means nothing
   */
  long decompress24(
      Element element,
      MemorySegment values,
      long valuesOffset,
      MemorySegment nibbles,
      long nibblesOffset,
      long n,
      MemorySegment row,
      long rowOffset);
}
