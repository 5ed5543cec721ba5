package dev.quern.pipeline;

import dev.quern.engine.kernel.KernelChoice;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.ScalarKernels;
import dev.quern.engine.memory.NativeMemory;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * How fast this machine and JVM will be, and why.
 *
 * @param provider which kernels run: {@code vector} or {@code scalar}
 * @param reason why these
 * @param vectorBits width of their vectors, 0 for scalar
 * @param jdk version of the running JDK
 * @param processors processors that the JVM may use
 * @param heapBytes most memory that the JVM's heap may take
 * @param rate source bytes a second at which one thread quantizes bf16 to FP8, data in cache
 * @param scalarRate the same for the scalar kernels: what it costs to be without vectors
 */
public record Diagnosis(
    String provider,
    String reason,
    int vectorBits,
    String jdk,
    int processors,
    long heapBytes,
    double rate,
    double scalarRate) {
  private static final int ELEMENTS = 1 << 16;
  private static final long MEASURE_NANOS = 1_500_000_000L;

  static Diagnosis measure() {
    KernelChoice choice = KernelChoice.current();
    double scalarRate = rate(new ScalarKernels());
    return new Diagnosis(
        choice.provider(),
        choice.reason(),
        choice.vectorBits(),
        Runtime.version().toString(),
        Runtime.getRuntime().availableProcessors(),
        Runtime.getRuntime().maxMemory(),
        choice.vectorBits() == 0 ? scalarRate : rate(choice.kernels()),
        scalarRate);
  }

  /**
   * The best of many short runs: the others were disturbed, or ran before the compiler was done.
   */
  private static double rate(Kernels kernels) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = NativeMemory.allocate(arena, 2L * ELEMENTS);
      MemorySegment target = NativeMemory.allocate(arena, ELEMENTS);
      for (int i = 0; i < ELEMENTS; i++) {
        FloatType.BF16.store(source, 2L * i, (i % 251 - 125) / 1000f);
      }
      long best = Long.MAX_VALUE;
      long end = System.nanoTime() + MEASURE_NANOS;
      for (long now = System.nanoTime(); now < end; ) {
        kernels.quantizeE4M3(FloatType.BF16, source, 0, ELEMENTS, 0x1p-11f, target, 0);
        long after = System.nanoTime();
        best = Math.min(best, after - now);
        now = after;
      }
      return 2.0 * ELEMENTS / best * 1e9;
    }
  }

  /** The same as a JSON document, with a newline at the end. */
  public String toJson() {
    return ReportJson.of(this);
  }
}
