package dev.quern.engine.kernel;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;

/**
 * Bulk operations on integers of 1 to 8 bits: ranges, quantization with a scale for each group of a
 * row, dense packing, and the way back. {@link ScalarIntKernels} is their definition; every other
 * provider equals it bit for bit, for every input.
 *
 * <p>A call works on a whole row with all its groups, because a group of 16 or 128 elements is too
 * short for a call of its own. Memory, offsets and threads are as in {@link Kernels}.
 *
 * <p>An integer of {@code b} bits is a <i>code</i> from {@code -2^(b-1)} to {@code 2^(b-1) - 1},
 * kept in a signed byte. <i>Packed</i>, it is stored as {@code code + 2^(b-1)} in a stream of bits:
 *
 * <pre>
 *   element i occupies bits i * b to i * b + b - 1, lowest bit first;
 *   bit k of the stream is bit k % 32 of 32-bit word k / 32, words little-endian;
 *   n elements take ceil(n * b / 32) words, whose last bits are zero.
 * </pre>
 */
public interface IntKernels {
  /**
   * The largest magnitude of each group of a row, as {@link Kernels#absMaxBits} gives it.
   *
   * @param n elements of the row
   * @param maxBits receives {@code ceil(n / groupSize)} sign-less patterns
   */
  void absMax(
      FloatType type, MemorySegment source, long sourceOffset, int n, int groupSize, int[] maxBits);

  /**
   * The smallest and the largest value of each group of a row.
   *
   * <p>Values are ordered as IEEE 754's totalOrder has it: -0 below +0, and NaN beyond infinity on
   * the side of its sign. So a NaN is never swallowed: the smallest or the largest is NaN exactly
   * when the group holds one, and it is the canonical NaN then.
   *
   * @param n elements of the row
   * @param min receives {@code ceil(n / groupSize)} values
   * @param max the same
   */
  void range(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      int groupSize,
      float[] min,
      float[] max);

  /**
   * Quantizes a row to codes: {@code rint(clamp(R(R(x / scale) + zeroPoint), lowest, highest))},
   * where {@code R} rounds to {@code type}. NaN gives 0.
   *
   * @param groups the scales, positive and finite values of {@code type}
   * @param target receives one byte an element
   */
  void quantize(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      IntGroups groups,
      MemorySegment target,
      long targetOffset);

  /**
   * Quantizes a row and packs the codes: {@link #quantize}, then {@link #pack}.
   *
   * @param target receives {@link #packedBytes} bytes
   */
  void quantizePacked(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      IntGroups groups,
      MemorySegment target,
      long targetOffset);

  /**
   * Dequantizes a row of codes: {@code R((code - zeroPoint) * scale)}. What is NaN becomes the
   * canonical NaN of {@code type}.
   *
   * @param target receives elements of {@code type}
   */
  void dequantize(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      IntGroups groups,
      MemorySegment target,
      long targetOffset);

  /**
   * Dequantizes a packed row: {@link #unpack}, then {@link #dequantize}.
   *
   * @param n elements of the row
   */
  default void dequantizePacked(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      IntGroups groups,
      MemorySegment target,
      long targetOffset) {
    MemorySegment codes = UnpackedRow.BUFFER.atLeast(n);
    unpack(source, sourceOffset, n, groups.bits(), codes, 0);
    dequantize(type, codes, 0, n, groups, target, targetOffset);
  }

  /**
   * Packs codes of {@code bits} bits.
   *
   * @param source one byte an element; of a byte that is no such code, the lowest bits count
   * @param bits 1 to 8
   * @param target receives {@link #packedBytes} bytes
   */
  void pack(
      MemorySegment source,
      long sourceOffset,
      int n,
      int bits,
      MemorySegment target,
      long targetOffset);

  /**
   * Unpacks codes of {@code bits} bits.
   *
   * @param source {@link #packedBytes} bytes
   * @param bits 1 to 8
   * @param target receives one byte an element
   */
  void unpack(
      MemorySegment source,
      long sourceOffset,
      int n,
      int bits,
      MemorySegment target,
      long targetOffset);

  /** Bytes that {@code n} packed elements take: whole 32-bit words. */
  static long packedBytes(long n, int bits) {
    return Math.ceilDiv(n * bits, Integer.SIZE) * Integer.BYTES;
  }
}
