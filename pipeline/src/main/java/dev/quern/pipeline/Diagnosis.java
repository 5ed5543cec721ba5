package dev.quern.pipeline;

import dev.quern.engine.kernel.KernelChoice;
import dev.quern.engine.kernel.Kernels;
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
 * @param scalarRate the same without vectors: what it would cost to have none
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
  private static final long MEASURE_NANOS = 1_000_000_000L;
  // How long the compiler may take to make the vector loop faster than the plain one.
  private static final long PATIENCE_NANOS = 30_000_000_000L;

  static Diagnosis measure() {
    KernelChoice choice = KernelChoice.current();
    double scalarRate = rate(KernelChoice.withoutVectors(), 0);
    return new Diagnosis(
        choice.provider(),
        choice.reason(),
        choice.vectorBits(),
        Runtime.version().toString(),
        Runtime.getRuntime().availableProcessors(),
        Runtime.getRuntime().maxMemory(),
        rate(choice.kernels(), choice.vectorBits() == 0 ? 0 : 2 * scalarRate),
        scalarRate);
  }

  /**
   * The best of many short runs: the others were disturbed, or ran before the compiler was done.
   *
   * @param compiledRate what compiled code exceeds; measuring begins there
   */
  private static double rate(Kernels kernels, double compiledRate) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = NativeMemory.allocate(arena, 2L * ELEMENTS);
      MemorySegment target = NativeMemory.allocate(arena, ELEMENTS);
      for (int i = 0; i < ELEMENTS; i++) {
        FloatType.BF16.store(source, 2L * i, (i % 251 - 125) / 1000f);
      }
      double compiledNanos =
          compiledRate == 0 ? Double.MAX_VALUE : 2.0 * ELEMENTS / compiledRate * 1e9;
      long best = Long.MAX_VALUE;
      long now = System.nanoTime();
      long patience = now + PATIENCE_NANOS;
      for (long end = Long.MAX_VALUE; now < Math.min(end, patience); ) {
        kernels.quantizeE4M3(FloatType.BF16, source, 0, ELEMENTS, 0x1p-11f, target, 0);
        long after = System.nanoTime();
        best = Math.min(best, after - now);
        now = after;
        if (end == Long.MAX_VALUE && best < compiledNanos) {
          end = now + MEASURE_NANOS;
        }
      }
      return 2.0 * ELEMENTS / best * 1e9;
    }
  }

  /** The same as a JSON document, with a newline at the end. */
  public String toJson() {
    return ReportJson.of(this);
  }
}
