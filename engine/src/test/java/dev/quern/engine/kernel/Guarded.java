package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.fail;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Memory for a result with watched surroundings: filled with poison before a call, so that what was
 * not written shows, and checked around the result after it.
 */
public final class Guarded {
  private static final byte POISON = 0x5A;
  private static final int MARGIN = 128;

  private final MemorySegment memory;
  private final MemorySegment clean;

  /** Memory for results of {@code bytes} bytes, with poison in it. */
  public Guarded(Arena arena, long bytes) {
    memory = arena.allocate(bytes + 2 * MARGIN, 64);
    clean = arena.allocate(bytes + 2 * MARGIN, 64).fill(POISON);
    poison();
  }

  /** The memory with its surroundings; results go to {@link #offset()} or behind it. */
  public MemorySegment memory() {
    return memory;
  }

  /** Where a result may begin, a multiple of 64. */
  public long offset() {
    return MARGIN;
  }

  /** Forgets all results. */
  public void poison() {
    memory.fill(POISON);
  }

  /** Fails when a byte outside of the result was touched. */
  public void checkSurroundings(long resultOffset, long bytes, String call) {
    long end = resultOffset + bytes;
    long before = mismatch(0, resultOffset);
    long after = mismatch(end, memory.byteSize());
    if (before >= 0 || after >= 0) {
      fail(
          "%s wrote outside of its result: first bytes touched before it %d, behind it %d",
          call, before, after);
    }
  }

  /** Fails at the first byte in which two results of the same length differ. */
  public void checkEquals(
      long resultOffset, Guarded expected, long expectedOffset, long bytes, String call) {
    long at =
        MemorySegment.mismatch(
            expected.memory,
            expectedOffset,
            expectedOffset + bytes,
            memory,
            resultOffset,
            resultOffset + bytes);
    if (at >= 0) {
      fail(
          "%s: byte %d of the result is 0x%02X, and the law says 0x%02X",
          call,
          at,
          memory.get(ValueLayout.JAVA_BYTE, resultOffset + at),
          expected.memory.get(ValueLayout.JAVA_BYTE, expectedOffset + at));
    }
  }

  private long mismatch(long from, long to) {
    return MemorySegment.mismatch(memory, from, to, clean, from, to);
  }
}
