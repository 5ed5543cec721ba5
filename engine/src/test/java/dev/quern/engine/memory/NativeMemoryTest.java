package dev.quern.engine.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class NativeMemoryTest {
  @Test
  void everyAllocationIsAlignedZeroedAndNative() {
    try (Arena arena = Arena.ofConfined()) {
      for (long bytes = 0; bytes < 300; bytes++) {
        MemorySegment memory = NativeMemory.allocate(arena, bytes);
        assertThat(memory.address() % NativeMemory.ALIGNMENT).isZero();
        assertThat(memory.byteSize()).isEqualTo(bytes);
        assertThat(memory.isNative()).isTrue();
        for (long i = 0; i < bytes; i++) {
          assertThat(memory.get(ValueLayout.JAVA_BYTE, i)).isZero();
        }
      }
    }
  }

  @Test
  void livesAsLongAsItsArena() {
    Arena arena = Arena.ofConfined();
    MemorySegment memory = NativeMemory.allocate(arena, 8);
    arena.close();
    assertThat(memory.scope().isAlive()).isFalse();
  }

  @Test
  void refusesANegativeSize() {
    try (Arena arena = Arena.ofConfined()) {
      assertThatThrownBy(() -> NativeMemory.allocate(arena, -1))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
