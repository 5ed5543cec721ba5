package dev.quern.engine.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The definition of {@link SparseKernels}.
 *
 * <p>Source: torch 2.13, {@code sparse_semi_structured_from_dense_cutlass}, which pair it keeps for
 * each set of elements that are not zero.
 */
public final class ScalarSparseKernels implements SparseKernels {
  /** No pair: three or four are not zero. */
  static final int NONE = -1;

  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** The kernels have no state. */
  public ScalarSparseKernels() {}

  /**
   * The nibble for a set of elements that are not zero.
   *
   * @param nonZero bit i for element i
   * @return the nibble, or {@link #NONE}
   */
  static int nibble(int nonZero) {
    return switch (nonZero) {
      case 0b0011 -> pair(0, 1);
      case 0b0001, 0b0101 -> pair(0, 2);
      case 0b1001 -> pair(0, 3);
      case 0b0010, 0b0110 -> pair(1, 2);
      case 0b1010 -> pair(1, 3);
      case 0b0000, 0b0100, 0b1000, 0b1100 -> pair(2, 3);
      default -> NONE;
    };
  }

  private static int pair(int first, int second) {
    return first | second << 2;
  }

  /** Whether a nibble names two places in ascending order. */
  static boolean isPair(int nibble) {
    return (nibble & 3) < nibble >> 2;
  }

  @Override
  public long compress24(
      Element element,
      MemorySegment row,
      long rowOffset,
      long n,
      MemorySegment values,
      long valuesOffset,
      MemorySegment nibbles,
      long nibblesOffset) {
    for (long quad = 0; quad < n / 4; quad++) {
      int nonZero = 0;
      for (int i = 0; i < 4; i++) {
        nonZero |= isZero(element, get(element, row, rowOffset, 4 * quad + i)) ? 0 : 1 << i;
      }
      int nibble = nibble(nonZero);
      if (nibble == NONE) {
        return 4 * quad;
      }
      int first = get(element, row, rowOffset, 4 * quad + (nibble & 3));
      int second = get(element, row, rowOffset, 4 * quad + (nibble >> 2));
      set(element, values, valuesOffset, 2 * quad, first);
      set(element, values, valuesOffset, 2 * quad + 1, second);
      long at = nibblesOffset + quad / 2;
      int before = quad % 2 == 0 ? 0 : nibbles.get(BYTE, at);
      nibbles.set(BYTE, at, (byte) (before | nibble << 4 * (quad % 2)));
    }
    return -1;
  }

  @Override
  public long decompress24(
      Element element,
      MemorySegment values,
      long valuesOffset,
      MemorySegment nibbles,
      long nibblesOffset,
      long n,
      MemorySegment row,
      long rowOffset) {
    for (long quad = 0; quad < n / 4; quad++) {
      int nibble = nibbles.get(BYTE, nibblesOffset + quad / 2) >> 4 * (quad % 2) & 15;
      if (!isPair(nibble)) {
        return 4 * quad;
      }
      for (int i = 0; i < 4; i++) {
        set(element, row, rowOffset, 4 * quad + i, 0);
      }
      int first = get(element, values, valuesOffset, 2 * quad);
      int second = get(element, values, valuesOffset, 2 * quad + 1);
      set(element, row, rowOffset, 4 * quad + (nibble & 3), first);
      set(element, row, rowOffset, 4 * quad + (nibble >> 2), second);
    }
    return -1;
  }

  private static boolean isZero(Element element, int bits) {
    return switch (element) {
      case FLOAT16 -> (bits & 0x7FFF) == 0;
      case FLOAT8 -> (bits & 0x7F) == 0;
      case INT8 -> bits == 0;
    };
  }

  private static int get(Element element, MemorySegment memory, long offset, long index) {
    return element == Element.FLOAT16
        ? memory.get(SHORT, offset + 2 * index)
        : memory.get(BYTE, offset + index);
  }

  private static void set(
      Element element, MemorySegment memory, long offset, long index, int bits) {
    if (element == Element.FLOAT16) {
      memory.set(SHORT, offset + 2 * index, (short) bits);
    } else {
      memory.set(BYTE, offset + index, (byte) bits);
    }
  }
}
