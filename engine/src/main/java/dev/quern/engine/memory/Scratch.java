package dev.quern.engine.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A native buffer that one thread uses again and again, grown when a larger one is needed. Its
 * contents do not survive the next {@link #atLeast}.
 */
public final class Scratch implements AutoCloseable {
  private Arena arena;
  private MemorySegment segment = MemorySegment.NULL;

  /** An empty buffer. */
  public Scratch() {}

  /** A buffer of {@code bytes} bytes, aligned to 64, with arbitrary contents. */
  public MemorySegment atLeast(long bytes) {
    if (segment.byteSize() < bytes) {
      close();
      arena = Arena.ofShared();
      segment = NativeMemory.allocate(arena, bytes);
    }
    return segment.asSlice(0, bytes);
  }

  /** Gives the memory back when it is more than {@code bytes}, which it would keep otherwise. */
  public void keepAtMost(long bytes) {
    if (segment.byteSize() > bytes) {
      close();
    }
  }

  @Override
  public void close() {
    if (arena != null) {
      arena.close();
      arena = null;
      segment = MemorySegment.NULL;
    }
  }
}
