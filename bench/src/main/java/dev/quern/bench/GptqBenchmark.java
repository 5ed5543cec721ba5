package dev.quern.bench;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.linalg.Syrk;
import dev.quern.engine.linalg.Triangle;
import dev.quern.engine.linalg.Workspace;
import dev.quern.engine.memory.NativeMemory;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Workers;
import dev.quern.engine.quantization.ScaleGrid;
import dev.quern.engine.solver.Gptq;
import dev.quern.engine.solver.GptqOptions;
import dev.quern.engine.solver.GptqResult;
import dev.quern.engine.solver.Hessian;
import dev.quern.engine.solver.Progress;
import dev.quern.engine.solver.StoredFormat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
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
 * sweep and {@code 2/3 n³} for the factor; the rate over these is printed after each trial, to be
 * divided by the peak of fused multiply-adds of the same machine.
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

    private Arena arena;
    private Workers threads;
    private MemorySegment weights;
    private Hessian hessian;
    private MemorySegment codes;
    private long fastest = Long.MAX_VALUE;

    /** Inputs that go along with each other, and some features that are used more than others. */
    @Setup
    public void prepare() {
      arena = Arena.ofShared();
      threads = new Workers(workers);
      SplittableRandom random = new SplittableRandom(7);
      weights = NativeMemory.allocate(arena, 2L * n * n);
      for (long i = 0; i < (long) n * n; i++) {
        FloatType.BF16.store(weights, 2 * i, (float) random.nextDouble(-0.05, 0.05));
      }
      FloatMatrix h = FloatMatrix.allocate(arena, n, n);
      try (Arena own = Arena.ofShared();
          Workspace workspace = new Workspace(Kernels.best(), threads)) {
        FloatMatrix inputs = FloatMatrix.allocate(own, n + n / 4, n);
        for (int i = 0; i < inputs.rows(); i++) {
          float common = (float) random.nextDouble(-1, 1);
          for (int j = 0; j < n; j++) {
            float size = j % 97 == 0 ? 4 : 1;
            inputs.set(i, j, size * (common + (float) random.nextDouble(-1, 1)));
          }
        }
        Syrk.set(workspace, inputs.operand(), Triangle.LOWER, h);
      }
      hessian = Hessian.ofLower(h);
    }

    private GptqResult solve(Arena target, int rows) throws InterruptedException {
      StoredFormat format =
          StoredFormat.integer(FloatType.BF16, 4, true, ScaleGrid.block(rows, n, 1, 128));
      return new Gptq(Kernels.best(), threads)
          .solve(target, format, weights, hessian, GptqOptions.reference(), Progress.NONE);
    }

    double run() throws InterruptedException {
      long start = System.nanoTime();
      try (Arena target = Arena.ofShared()) {
        GptqResult result = solve(target, n);
        fastest = Math.min(fastest, System.nanoTime() - start);
        if (codes == null) {
          codes = NativeMemory.allocate(arena, (long) CHECKED_ROWS * n);
          MemorySegment.copy(result.codes(), 0, codes, 0, codes.byteSize());
        }
        return result.loss();
      }
    }

    /** Compares with a solve of some rows, and says how fast the fastest solve was. */
    @TearDown
    public void check() throws InterruptedException {
      try (Arena target = Arena.ofShared()) {
        if (solve(target, CHECKED_ROWS).codes().mismatch(codes) >= 0) {
          throw new IllegalStateException("rows solved alone differ from rows of a matrix");
        }
      }
      double operations = 5.0 / 3 * n * n * n;
      System.out.printf(
          Locale.ROOT,
          "%nn = %d: fastest solve %.0f ms, %.1f GFLOP/s over 5/3 n³ operations%n",
          n,
          fastest / 1e6,
          operations / fastest);
      threads.close();
      arena.close();
    }
  }

  /** One solve. */
  @Benchmark
  public double solve(Layer layer) throws InterruptedException {
    return layer.run();
  }
}
