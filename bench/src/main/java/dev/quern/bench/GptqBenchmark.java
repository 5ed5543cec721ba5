package dev.quern.bench;

import dev.quern.engine.solver.GptqResult;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * GPTQ of one square matrix, 4 bits in groups of 128, Hessian given: from bf16 weights to codes and
 * scales. An operation is a solve. The operations that none can do without are {@code n³} for the
 * sweep and {@code 2/3 n³} for the factor; the rate over these is printed after each trial, beside
 * the peak of fused multiply-adds on the same threads: the best of ten measurements around each
 * iteration.
 *
 * <p>Each trial ends with a solve of the first rows alone, which must give the same codes.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 4, time = 4)
@Measurement(iterations = 5, time = 4)
public class GptqBenchmark {
  private static final int CHECKED_ROWS = 32;

  /** One layer. */
  @State(Scope.Benchmark)
  public static class Layer {
    /** Rows and columns. */
    @Param({"1024", "2048", "4096"})
    public int n;

    /** Threads of the solver. */
    @Param({"2"})
    public int workers;

    private GptqProblem problem;
    private MemorySegment codes;
    private long fastest = Long.MAX_VALUE;
    private double peak;

    /** Makes the layer. */
    @Setup
    public void prepare() {
      problem = new GptqProblem(n, workers);
    }

    /** The peak is measured between iterations, outside of what is timed. */
    @Setup(Level.Iteration)
    @TearDown(Level.Iteration)
    public void measurePeak() throws Exception {
      for (int i = 0; i < 5; i++) {
        peak = Math.max(peak, problem.peak());
      }
    }

    double run() throws InterruptedException {
      long start = System.nanoTime();
      try (Arena target = Arena.ofShared()) {
        GptqResult result = problem.solve(target, n);
        fastest = Math.min(fastest, System.nanoTime() - start);
        if (codes == null) {
          codes = MemorySegment.ofArray(new byte[CHECKED_ROWS * n]);
          MemorySegment.copy(result.codes(), 0, codes, 0, codes.byteSize());
        }
        return result.loss();
      }
    }

    /** Compares with a solve of some rows, and says how fast the fastest solve was. */
    @TearDown
    public void check() throws InterruptedException {
      try (Arena target = Arena.ofShared()) {
        if (problem.solve(target, CHECKED_ROWS).codes().mismatch(codes) >= 0) {
          throw new IllegalStateException("rows solved alone differ from rows of a matrix");
        }
      }
      double rate = problem.operations() / fastest;
      System.out.printf(
          Locale.ROOT,
          "%nn = %d: fastest solve %.0f ms, %.1f GFLOP/s over 5/3 n³ operations, peak %.1f, share"
              + " %.2f%n",
          n,
          fastest / 1e6,
          rate,
          peak,
          rate / peak);
      problem.close();
    }
  }

  /** One solve. */
  @Benchmark
  public double solve(Layer layer) throws InterruptedException {
    return layer.run();
  }
}
