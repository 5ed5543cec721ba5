package dev.quern.engine.kernel;

import dev.quern.engine.memory.NativeMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A native buffer of each thread, for what a kernel keeps between two loops over a row. It grows to
 * the largest row that its thread has seen, and is freed some time after the thread is gone.
 */
public final class ThreadBuffer {
  private static final long SMALLEST = 16 << 10;

  private final ThreadLocal<MemorySegment> buffers =
      ThreadLocal.withInitial(() -> NativeMemory.allocate(Arena.ofAuto(), SMALLEST));

  /** Empty buffers. */
  public ThreadBuffer() {}

  /**
   * This thread's buffer of {@code bytes} bytes or more, aligned to 64, with arbitrary contents,
   * which the next call hands out again.
   */
  public MemorySegment atLeast(long bytes) {
    MemorySegment buffer = buffers.get();
    if (buffer.byteSize() < bytes) {
      buffer = NativeMemory.allocate(Arena.ofAuto(), Math.max(bytes, 2 * buffer.byteSize()));
      buffers.set(buffer);
    }
    return buffer;
  }
}
