package dev.quern.bench;

import dev.quern.engine.annotation.SuppressForbidden;
import dev.quern.engine.kernel.KernelChoice;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.MatrixKernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.linalg.Gemm;
import dev.quern.engine.linalg.InverseFactor;
import dev.quern.engine.linalg.MatrixOperand;
import dev.quern.engine.linalg.Symmetric;
import dev.quern.engine.linalg.Syrk;
import dev.quern.engine.linalg.Triangle;
import dev.quern.engine.linalg.Workspace;
import dev.quern.engine.parallel.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Products and factors of square matrices, beside the rate of multiply-adds that stay in registers.
 * {@link LinalgTable} makes it GFLOP/s and shares. Every trial ends with a check of the result.
 */
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class LinalgBenchmark {
  /** Threads, and nothing else: what the peak is measured with. */
  @State(Scope.Benchmark)
  public static class Threads {
    static final int CHAIN = 1_000_000;

    /** How many threads work on one operation. */
    @Param({"1"})
    public int workers;

    Workers pool;
    MatrixKernels kernels;
    private float[] sink;

    /** Starts the threads, and makes what a subclass needs. */
    @Setup(Level.Trial)
    public void setUp() {
      ForkReport.require(KernelChoice.current());
      pool = new Workers(workers);
      kernels = Kernels.best().matrices();
      sink = new float[workers];
      begin();
    }

    /** What is done once there are threads. JMH promises no order of several methods. */
    void begin() {}

    float chains() throws Exception {
      pool.run(workers, (task, _) -> sink[task] = kernels.chains(CHAIN));
      float sum = 0;
      for (float x : sink) {
        sum += x;
      }
      return sum;
    }

    /** What is done before the threads end. */
    void finish() {}

    /** Checks the result, frees what was allocated, ends the threads. */
    @TearDown(Level.Trial)
    public void tearDown() {
      finish();
      pool.close();
    }
  }

  /** Two random matrices and a result. */
  @State(Scope.Benchmark)
  public abstract static class Matrices extends Threads {
    private static final int SAMPLES = 40;

    /** Rows and columns. */
    @Param({"1024"})
    public int n;

    Arena arena;
    Workspace workspace;
    FloatMatrix a;
    FloatMatrix b;
    FloatMatrix c;
    private SplittableRandom random;

    /** Fills the operands. */
    @Override
    void begin() {
      random = new SplittableRandom(43);
      arena = Arena.ofShared();
      workspace = new Workspace(Kernels.best(), pool);
      a = fill();
      b = fill();
      c = FloatMatrix.allocate(arena, n, n);
    }

    private FloatMatrix fill() {
      FloatMatrix matrix = FloatMatrix.allocate(arena, n, n);
      for (int r = 0; r < n; r++) {
        for (int col = 0; col < n; col++) {
          matrix.set(r, col, (float) (random.nextDouble() - 0.5));
        }
      }
      return matrix;
    }

    /** Compares elements of the last result with the law, the last one among them. */
    @SuppressForbidden(reason = "the law of matrix products is a chain of fused multiply-adds")
    void check(MatrixOperand left, MatrixOperand right, boolean lower) {
      for (int sample = 0; sample <= SAMPLES; sample++) {
        int r = sample == SAMPLES ? n - 1 : random.nextInt(n);
        int col = sample == SAMPLES ? n - 1 : random.nextInt(lower ? r + 1 : n);
        float sum = 0;
        for (int k = 0; k < n; k++) {
          sum = Math.fma(left.get(r, k), right.get(k, col), sum);
        }
        LawCheck.require("row " + r + " of the product", sum == c.get(r, col) ? -1 : col);
      }
    }

    abstract void check();

    @Override
    void finish() {
      check();
      workspace.close();
      arena.close();
    }
  }

  /** For C = A B. */
  @State(Scope.Benchmark)
  public static class Products extends Matrices {
    @Override
    void check() {
      check(a.operand(), b.operand(), false);
    }
  }

  /** For the lower triangle of C = Aᵀ A. */
  @State(Scope.Benchmark)
  public static class Triangles extends Matrices {
    @Override
    void check() {
      check(a.transposed(), a.operand(), true);
    }
  }

  /** For the factor of an inverse. */
  @State(Scope.Benchmark)
  public static class Factors extends Matrices {
    /** Makes B positive definite. */
    @Override
    void begin() {
      super.begin();
      Syrk.set(workspace, a.operand(), Triangle.LOWER, b);
      Symmetric.mirror(b, Triangle.LOWER);
      for (int i = 0; i < n; i++) {
        b.set(i, i, b.get(i, i) + 0.05f * n);
      }
    }

    /** Takes a fresh copy; outside of what is timed. */
    @Setup(Level.Invocation)
    public void copy() {
      MemorySegment.copy(b.data(), 0, c.data(), 0, b.data().byteSize());
    }

    /** Multiplies H by columns of {@code Uᵀ U}, in binary64, which must give those of I. */
    @Override
    void check() {
      double[] y = new double[n];
      for (int column : new int[] {0, n / 2, n - 1}) {
        for (int i = 0; i < n; i++) {
          double sum = 0;
          for (int k = 0; k <= Math.min(i, column); k++) {
            sum += (double) c.get(k, i) * c.get(k, column);
          }
          y[i] = sum;
        }
        for (int i = 0; i < n; i++) {
          double sum = 0;
          for (int k = 0; k < n; k++) {
            sum += b.get(i, k) * y[k];
          }
          double error = Math.abs(sum - (i == column ? 1 : 0));
          LawCheck.require("column " + column + " of H UᵀU", error < 1e-3 ? -1 : i);
        }
      }
    }
  }

  /** Multiply-adds in registers: {@link Threads#CHAIN} rounds on each thread. */
  @Benchmark
  public float peak(Threads threads) throws Exception {
    return threads.chains();
  }

  /** C = A B: 2 n³ operations. */
  @Benchmark
  public void gemm(Products m) {
    Gemm.set(m.workspace, m.a.operand(), m.b.operand(), m.c);
  }

  /** The lower triangle of Aᵀ A: n³ operations. */
  @Benchmark
  public void syrk(Triangles m) {
    Syrk.set(m.workspace, m.a.operand(), Triangle.LOWER, m.c);
  }

  /** U with H⁻¹ = Uᵀ U: 2/3 n³ operations. */
  @Benchmark
  public InverseFactor inverseFactor(Factors m) {
    return InverseFactor.compute(m.workspace, m.c, 0);
  }
}
