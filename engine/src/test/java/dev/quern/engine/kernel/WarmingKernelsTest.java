package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * Calls go to the plain loop first and to the other one when that is fast; results are the same
 * throughout.
 */
class WarmingKernelsTest {
  private static final int ELEMENTS = 4096;

  /** Counts the calls that reach it. */
  private static final class Counting extends DelegatingKernels {
    private final AtomicInteger calls = new AtomicInteger();

    Counting(Kernels kernels) {
      super(kernels);
    }

    @Override
    public int absMaxBits(FloatType type, MemorySegment source, long offset, int n) {
      calls.incrementAndGet();
      return super.absMaxBits(type, source, offset, n);
    }
  }

  @Test
  void handsOverWhenTheOtherLoopIsFast() {
    Counting plain = new Counting(new PlainKernels());
    Counting fast = new Counting(new PlainKernels());
    WarmingKernels warming = new WarmingKernels(plain, fast);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocate(2 * ELEMENTS, 64);
      FloatType.BF16.store(source, 2 * 17, -3.5f);
      int expected = FloatType.BF16.encode(3.5f);

      assertThat(warming.absMaxBits(FloatType.BF16, source, 0, ELEMENTS)).isEqualTo(expected);
      assertThat(plain.calls).hasValue(1);

      while (!warming.isReady(WarmUp.ABS_MAX, FloatType.BF16)) {
        Thread.onSpinWait();
      }
      int before = fast.calls.get();
      assertThat(warming.absMaxBits(FloatType.BF16, source, 0, ELEMENTS)).isEqualTo(expected);
      assertThat(plain.calls).hasValue(1);
      assertThat(fast.calls).hasValue(before + 1);
      assertThat(warming.isReady(WarmUp.ABS_MAX, FloatType.F32)).isFalse();
    }
  }

  @Test
  void preparesWhatARunNeeds() {
    WarmingKernels warming = new WarmingKernels(new PlainKernels(), new PlainKernels());
    warming.prepareToCompress(FloatType.BF16);
    assertThat(warming.isReady(WarmUp.ABS_MAX, FloatType.BF16)).isTrue();
    assertThat(warming.isReady(WarmUp.QUANTIZE_E4M3, FloatType.BF16)).isTrue();

    warming.prepareToCompare(FloatType.BF16);
    assertThat(warming.isReady(WarmUp.ADD_ERRORS, FloatType.F32)).isTrue();
    assertThat(warming.isReady(WarmUp.DEQUANTIZE_E4M3, FloatType.BF16)).isTrue();
    assertThat(warming.isReady(WarmUp.CONVERT_TO_F32, FloatType.BF16)).isTrue();
  }
}
