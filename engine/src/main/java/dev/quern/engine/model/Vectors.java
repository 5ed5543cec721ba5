package dev.quern.engine.model;

import dev.quern.engine.memory.NativeMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Vectors of weights in native memory, as kernels read them. */
final class Vectors {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Vectors() {}

  /** Freed when nothing refers to it any more: it is small, and lives as long as its layer. */
  static MemorySegment of(float[] values) {
    MemorySegment memory = NativeMemory.allocate(Arena.ofAuto(), 4L * Math.max(1, values.length));
    for (int i = 0; i < values.length; i++) {
      memory.set(FLOAT, 4L * i, values[i]);
    }
    return memory;
  }
}
