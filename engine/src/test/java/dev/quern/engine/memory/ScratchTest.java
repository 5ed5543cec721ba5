package dev.quern.engine.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class ScratchTest {
  @Test
  void givesTheSameMemoryWhileItIsLargeEnough() {
    try (Scratch scratch = new Scratch()) {
      MemorySegment first = scratch.atLeast(1000);
      for (long bytes = 0; bytes <= 1000; bytes += 100) {
        MemorySegment next = scratch.atLeast(bytes);
        assertThat(next.address()).isEqualTo(first.address());
        assertThat(next.byteSize()).isEqualTo(bytes);
      }
    }
  }

  @Test
  void growsAndEndsWhatItGaveBefore() {
    try (Scratch scratch = new Scratch()) {
      MemorySegment small = scratch.atLeast(10);
      for (long bytes = 11; bytes < 5000; bytes = bytes * 3 / 2) {
        MemorySegment large = scratch.atLeast(bytes);
        assertThat(large.byteSize()).isEqualTo(bytes);
        assertThat(large.address() % NativeMemory.ALIGNMENT).isZero();
        assertThat(small.scope().isAlive()).isFalse();
        large.fill((byte) 1);
        small = large;
      }
    }
  }

  @Test
  void anEmptyOneGivesNothing() {
    try (Scratch scratch = new Scratch()) {
      assertThat(scratch.atLeast(0).byteSize()).isZero();
    }
  }

  @Test
  void closingFreesAndItCanBeUsedAgain() {
    Scratch scratch = new Scratch();
    MemorySegment memory = scratch.atLeast(10);
    scratch.close();
    scratch.close();
    assertThat(memory.scope().isAlive()).isFalse();
    assertThat(scratch.atLeast(10).scope().isAlive()).isTrue();
    scratch.close();
  }

  @Test
  void keepsNoMoreThanItMay() {
    try (Scratch scratch = new Scratch()) {
      MemorySegment memory = scratch.atLeast(1000);
      scratch.keepAtMost(1000);
      assertThat(memory.scope().isAlive()).isTrue();
      scratch.keepAtMost(999);
      assertThat(memory.scope().isAlive()).isFalse();
      assertThat(scratch.atLeast(1000).byteSize()).isEqualTo(1000);
    }
  }
}
