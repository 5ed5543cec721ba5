package dev.quern.engine.quantization;

import dev.quern.engine.kernel.IntGroups;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A matrix of zero points [rows, cols] packed along its rows: each column is a stream of bits of
 * its own, laid out as {@link dev.quern.engine.kernel.IntKernels} says, and word {@code w} of all
 * columns is row {@code w} of the packed matrix [ceil(rows * bits / 32), cols].
 *
 * <p>Since 32 rows take whole words at every width, strips of 32 rows can be packed alone.
 *
 * <p>Source: compressed-tensors 0.18, {@code pack_to_int32} with {@code packed_dim=0}.
 */
public final class PackedZeroPoints {
  /** Rows of a strip that can be packed without the others. */
  public static final int STRIP_ROWS = 32;

  private static final ValueLayout.OfInt WORD =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private PackedZeroPoints() {}

  /** Bytes of a packed matrix. */
  public static long bytes(int rows, int cols, int bits) {
    return Math.ceilDiv((long) rows * bits, Integer.SIZE) * cols * Integer.BYTES;
  }

  /**
   * Writes one row into a packed matrix, which must have been zero there.
   *
   * @param zeroPoints one integer a column
   */
  public static void putRow(MemorySegment packed, int bits, int row, float[] zeroPoints) {
    int cols = zeroPoints.length;
    long bit = (long) row * bits;
    int shift = (int) (bit % Integer.SIZE);
    long word = bit / Integer.SIZE * cols;
    for (int col = 0; col < cols; col++) {
      int stored = (int) zeroPoints[col] - IntGroups.lowest(bits);
      or(packed, word + col, stored << shift);
      if (shift + bits > Integer.SIZE) {
        or(packed, word + cols + col, stored >>> (Integer.SIZE - shift));
      }
    }
  }

  /**
   * Reads one row of a packed matrix.
   *
   * @param zeroPoints receives one integer a column
   */
  public static void getRow(MemorySegment packed, int bits, int row, float[] zeroPoints) {
    int cols = zeroPoints.length;
    long bit = (long) row * bits;
    int shift = (int) (bit % Integer.SIZE);
    long word = bit / Integer.SIZE * cols;
    for (int col = 0; col < cols; col++) {
      int stored = packed.getAtIndex(WORD, word + col) >>> shift;
      if (shift + bits > Integer.SIZE) {
        stored |= packed.getAtIndex(WORD, word + cols + col) << (Integer.SIZE - shift);
      }
      zeroPoints[col] = (stored & ((1 << bits) - 1)) + IntGroups.lowest(bits);
    }
  }

  private static void or(MemorySegment packed, long word, int bits) {
    packed.setAtIndex(WORD, word, packed.getAtIndex(WORD, word) | bits);
  }
}
