package dev.quern.engine.kernel;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * {@link PruneKernels#countDigits} shaped for speed. A histogram is a chain of loads and stores to
 * places that the data decide, which no vector helps; what helps is that elements come from an
 * array, where C2 removes the checks.
 */
public final class DigitCounts {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int PIECE = 2048;
  private static final ThreadLocal<short[]> SHORTS =
      ThreadLocal.withInitial(() -> new short[PIECE]);
  private static final ThreadLocal<int[]> INTS = ThreadLocal.withInitial(() -> new int[PIECE]);

  private DigitCounts() {}

  /** The operation of that name, for every provider but the definition. */
  public static void add(
      FloatType type,
      MemorySegment source,
      long offset,
      int n,
      int shift,
      int digitBits,
      int prefix,
      int[] counts) {
    for (int done = 0; done < n; done += PIECE) {
      int m = Math.min(PIECE, n - done);
      long at = offset + (long) done * type.bytes();
      if (type.bytes() == 2) {
        short[] piece = SHORTS.get();
        MemorySegment.copy(source, SHORT, at, piece, 0, m);
        shorts(piece, m, shift, digitBits, prefix, counts);
      } else {
        int[] piece = INTS.get();
        MemorySegment.copy(source, INT, at, piece, 0, m);
        ints(piece, m, shift, digitBits, prefix, counts);
      }
    }
  }

  private static void shorts(
      short[] bits, int n, int shift, int digitBits, int prefix, int[] counts) {
    int mask = (1 << digitBits) - 1;
    for (int i = 0; i < n; i++) {
      int digits = (bits[i] & 0x7FFF) >>> shift;
      if (digits >>> digitBits == prefix) {
        counts[digits & mask]++;
      }
    }
  }

  private static void ints(int[] bits, int n, int shift, int digitBits, int prefix, int[] counts) {
    int mask = (1 << digitBits) - 1;
    for (int i = 0; i < n; i++) {
      int digits = (bits[i] & 0x7FFF_FFFF) >>> shift;
      if (digits >>> digitBits == prefix) {
        counts[digits & mask]++;
      }
    }
  }
}
