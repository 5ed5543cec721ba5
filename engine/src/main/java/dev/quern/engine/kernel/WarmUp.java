package dev.quern.engine.kernel;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The operations of {@link Kernels}, each with the calls that make the compiler compile all of its
 * loops.
 */
enum WarmUp {
  ABS_MAX {
    @Override
    void call(Kernels kernels, FloatType type, Data data, int round) {
      kernels.absMaxBits(type, data.source, 0, ELEMENTS);
    }
  },
  QUANTIZE_E4M3 {
    @Override
    void call(Kernels kernels, FloatType type, Data data, int round) {
      // Scales above 1 take another loop than the usual ones.
      float scale = round % 2 == 0 ? 0x1p-9f : 2f;
      kernels.quantizeE4M3(type, data.source, 0, ELEMENTS, scale, data.target, 0);
    }
  },
  DEQUANTIZE_E4M3 {
    @Override
    void call(Kernels kernels, FloatType type, Data data, int round) {
      kernels.dequantizeE4M3(type, data.source, 0, ELEMENTS, 0x1p-9f, data.target, 0);
    }
  },
  CONVERT {
    @Override
    void call(Kernels kernels, FloatType type, Data data, int round) {
      FloatType[] types = FloatType.values();
      FloatType to = types[(type.ordinal() + 1 + round % 2) % types.length];
      kernels.convert(type, data.source, 0, ELEMENTS, to, data.target, 0);
    }
  },
  ADD_ERRORS {
    @Override
    void call(Kernels kernels, FloatType type, Data data, int round) {
      data.sums.clear();
      kernels.addErrors(data.source, 0, data.target, 0, ELEMENTS, 0.1f, data.sums);
    }
  };

  private static final int ELEMENTS = 2048;

  // Interpreted or half compiled loops take 30 to 1000 ns an element, compiled ones less than 1.
  private static final long FAST_NANOS = 5L * ELEMENTS;
  private static final int PROBES = 8;
  private static final long GIVE_UP_NANOS = 60_000_000_000L;

  /** One call of the operation; rounds differ so that every loop gets its turn. */
  abstract void call(Kernels kernels, FloatType type, Data data, int round);

  /**
   * Calls the operation until it is fast.
   *
   * @return false when it did not become fast
   */
  boolean untilFast(Kernels kernels, FloatType type) {
    try (Arena arena = Arena.ofConfined()) {
      Data data = new Data(arena, type);
      long end = System.nanoTime() + GIVE_UP_NANOS;
      int fast = 0;
      for (int round = 0; fast < PROBES; round++) {
        long start = System.nanoTime();
        call(kernels, type, data, round);
        long stop = System.nanoTime();
        fast = stop - start < FAST_NANOS ? fast + 1 : 0;
        if (stop > end) {
          return false;
        }
      }
      return true;
    }
  }

  /** What the calls work on. */
  private static final class Data {
    private final MemorySegment source;
    private final MemorySegment target;
    private final ErrorSums sums = new ErrorSums();

    Data(Arena arena, FloatType type) {
      source = arena.allocate(4L * ELEMENTS, 64);
      target = arena.allocate(4L * ELEMENTS, 64);
      for (int i = 0; i < ELEMENTS; i++) {
        type.store(source, (long) i * type.bytes(), (i % 251 - 125) / 256f);
      }
    }
  }
}
