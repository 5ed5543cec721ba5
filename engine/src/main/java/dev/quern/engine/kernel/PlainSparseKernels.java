package dev.quern.engine.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * 2:4 rows, eight elements a step: the elements that are not zero are found in all lanes of a word
 * at once, and {@link Long#compress} (an instruction of processors with BMI2) moves those that are
 * kept together.
 */
public final class PlainSparseKernels implements SparseKernels {
  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int STEP = 8;
  private static final long SIGNS16 = 0x8000_8000_8000_8000L;
  private static final long SIGNS8 = 0x8080_8080_8080_8080L;

  /** For each set of elements that are not zero: the nibble; where there is none, its sign bit. */
  private static final int[] NIBBLE = new int[16];

  /**
   * For each nibble: the 16-bit lanes that are kept; for each set of elements: those of its own.
   */
  private static final long[] LANES16 = new long[16];

  private static final long[] KEPT16 = new long[16];

  /** The same for pairs of nibbles and of sets, and lanes of 8 bits. */
  private static final long[] LANES8 = new long[256];

  private static final long[] KEPT8 = new long[256];

  static {
    for (int nibble = 0; nibble < 16; nibble++) {
      LANES16[nibble] = 0xFFFFL << 16 * (nibble & 3) | 0xFFFFL << 16 * (nibble >> 2);
    }
    for (int set = 0; set < 16; set++) {
      NIBBLE[set] = ScalarSparseKernels.nibble(set);
      KEPT16[set] = LANES16[NIBBLE[set] & 15];
    }
    for (int pair = 0; pair < 256; pair++) {
      LANES8[pair] = lanes8(pair & 15) | lanes8(pair >> 4) << 32;
      KEPT8[pair] = lanes8(NIBBLE[pair & 15] & 15) | lanes8(NIBBLE[pair >> 4] & 15) << 32;
    }
  }

  private final SparseKernels law = new ScalarSparseKernels();

  /** The kernels have no state. */
  public PlainSparseKernels() {}

  private static long lanes8(int nibble) {
    return 0xFFL << 8 * (nibble & 3) | 0xFFL << 8 * (nibble >> 2);
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
    long done = n - n % STEP;
    int all =
        element == Element.FLOAT16
            ? compress16(row, rowOffset, done, values, valuesOffset, nibbles, nibblesOffset)
            : compress8(
                element == Element.FLOAT8 ? 0 : SIGNS8,
                row,
                rowOffset,
                done,
                values,
                valuesOffset,
                nibbles,
                nibblesOffset);
    if (all < 0) {
      return law.compress24(
          element, row, rowOffset, n, values, valuesOffset, nibbles, nibblesOffset);
    }
    long wrong =
        law.compress24(
            element,
            row,
            rowOffset + done * element.bytes(),
            n - done,
            values,
            valuesOffset + done / 2 * element.bytes(),
            nibbles,
            nibblesOffset + done / STEP);
    return wrong < 0 ? -1 : done + wrong;
  }

  /** Returns a negative number when a set had no nibble. */
  private static int compress16(
      MemorySegment row,
      long rowOffset,
      long n,
      MemorySegment values,
      long valuesOffset,
      MemorySegment nibbles,
      long nibblesOffset) {
    int all = 0;
    for (long i = 0; i < n; i += STEP) {
      long low = row.get(LONG, rowOffset + 2 * i);
      long high = row.get(LONG, rowOffset + 2 * i + 8);
      int lowSet = (int) Long.compress((low & ~SIGNS16) + ~SIGNS16, SIGNS16);
      int highSet = (int) Long.compress((high & ~SIGNS16) + ~SIGNS16, SIGNS16);
      int lowNibble = NIBBLE[lowSet];
      int highNibble = NIBBLE[highSet];
      all |= lowNibble | highNibble;
      long kept = Long.compress(low, KEPT16[lowSet]) | Long.compress(high, KEPT16[highSet]) << 32;
      values.set(LONG, valuesOffset + i, kept);
      nibbles.set(BYTE, nibblesOffset + i / STEP, (byte) (lowNibble | highNibble << 4));
    }
    return all;
  }

  /**
   * As {@link #compress16}.
   *
   * @param signs the bits that make an element other than zero by themselves
   */
  private static int compress8(
      long signs,
      MemorySegment row,
      long rowOffset,
      long n,
      MemorySegment values,
      long valuesOffset,
      MemorySegment nibbles,
      long nibblesOffset) {
    int all = 0;
    for (long i = 0; i < n; i += STEP) {
      long eight = row.get(LONG, rowOffset + i);
      int sets = (int) Long.compress((eight & ~SIGNS8) + ~SIGNS8 | eight & signs, SIGNS8);
      int low = NIBBLE[sets & 15];
      int high = NIBBLE[sets >> 4];
      all |= low | high;
      values.set(INT, valuesOffset + i / 2, (int) Long.compress(eight, KEPT8[sets]));
      nibbles.set(BYTE, nibblesOffset + i / STEP, (byte) (low | high << 4));
    }
    return all;
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
    long done = n - n % STEP;
    for (long i = 0; i < done; i += STEP) {
      int pair = nibbles.get(BYTE, nibblesOffset + i / STEP) & 0xFF;
      if (!ScalarSparseKernels.isPair(pair & 15) || !ScalarSparseKernels.isPair(pair >> 4)) {
        done = i;
        break;
      }
      if (element == Element.FLOAT16) {
        long kept = values.get(LONG, valuesOffset + i);
        row.set(LONG, rowOffset + 2 * i, Long.expand(kept, LANES16[pair & 15]));
        row.set(LONG, rowOffset + 2 * i + 8, Long.expand(kept >>> 32, LANES16[pair >> 4]));
      } else {
        int kept = values.get(INT, valuesOffset + i / 2);
        row.set(LONG, rowOffset + i, Long.expand(kept & 0xFFFF_FFFFL, LANES8[pair]));
      }
    }
    long wrong =
        law.decompress24(
            element,
            values,
            valuesOffset + done / 2 * element.bytes(),
            nibbles,
            nibblesOffset + done / STEP,
            n - done,
            row,
            rowOffset + done * element.bytes());
    return wrong < 0 ? -1 : done + wrong;
  }
}
