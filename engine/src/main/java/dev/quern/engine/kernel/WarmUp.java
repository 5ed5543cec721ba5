package dev.quern.engine.kernel;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The operations of {@link Kernels}, each with the call that makes the compiler compile its usual
 * loop for a type. Loops for unusual arguments, such as scales above 1, stay cold until they are
 * used.
 */
enum WarmUp {
  ABS_MAX {
    @Override
    void call(Kernels kernels, FloatType type, Data data) {
      kernels.absMaxBits(type, data.source, 0, ELEMENTS);
    }
  },
  QUANTIZE_E4M3 {
    @Override
    void call(Kernels kernels, FloatType type, Data data) {
      kernels.quantizeE4M3(type, data.source, 0, ELEMENTS, 0x1p-9f, data.target, 0);
    }
  },
  DEQUANTIZE_E4M3 {
    @Override
    void call(Kernels kernels, FloatType type, Data data) {
      kernels.dequantizeE4M3(type, data.source, 0, ELEMENTS, 0x1p-9f, data.target, 0);
    }
  },
  CONVERT_TO_BF16 {
    @Override
    void call(Kernels kernels, FloatType type, Data data) {
      kernels.convert(type, data.source, 0, ELEMENTS, FloatType.BF16, data.target, 0);
    }
  },
  CONVERT_TO_F16 {
    @Override
    void call(Kernels kernels, FloatType type, Data data) {
      kernels.convert(type, data.source, 0, ELEMENTS, FloatType.F16, data.target, 0);
    }
  },
  CONVERT_TO_F32 {
    @Override
    void call(Kernels kernels, FloatType type, Data data) {
      kernels.convert(type, data.source, 0, ELEMENTS, FloatType.F32, data.target, 0);
    }
  },
  ADD_ERRORS {
    @Override
    void call(Kernels kernels, FloatType type, Data data) {
      data.sums.clear();
      kernels.addErrors(data.source, 0, data.target, 0, ELEMENTS, 0.1f, data.sums);
    }
  };

  private static final int ELEMENTS = 512;

  // Interpreted or half compiled loops take 30 to 1000 ns an element, compiled ones less than 1.
  private static final long FAST_NANOS = 5L * ELEMENTS;
  private static final int PROBES = 8;
  private static final long GIVE_UP_NANOS = 60_000_000_000L;

  static WarmUp convertTo(FloatType type) {
    return switch (type) {
      case BF16 -> CONVERT_TO_BF16;
      case F16 -> CONVERT_TO_F16;
      case F32 -> CONVERT_TO_F32;
    };
  }

  /** One call of the operation. */
  abstract void call(Kernels kernels, FloatType type, Data data);

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
      while (fast < PROBES) {
        long start = System.nanoTime();
        call(kernels, type, data);
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
