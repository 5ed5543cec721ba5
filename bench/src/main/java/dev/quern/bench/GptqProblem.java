package dev.quern.bench;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.MatrixKernels;
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
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.SplittableRandom;

/**
 * A layer to solve, [n, n] in bf16 with a Hessian in binary32, the threads for it, and how fast
 * multiply-adds are on these threads.
 */
final class GptqProblem implements AutoCloseable {
  private static final int CHAIN = 1_000_000;

  final int n;
  final Workers threads;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment weights;
  private final FloatMatrix h;
  private final Hessian hessian;
  private final float[] sink;

  /** Inputs that go along with each other, and some features that are used more than others. */
  GptqProblem(int n, int workers) {
    this.n = n;
    threads = new Workers(workers);
    sink = new float[workers];
    SplittableRandom random = new SplittableRandom(7);
    weights = NativeMemory.allocate(arena, 2L * n * n);
    for (long i = 0; i < (long) n * n; i++) {
      FloatType.BF16.store(weights, 2 * i, (float) random.nextDouble(-0.05, 0.05));
    }
    h = FloatMatrix.allocate(arena, n, n);
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

  /** Solves the first rows: 4 bits in groups of 128, the reference's options. */
  GptqResult solve(Arena target, int rows) throws InterruptedException {
    StoredFormat format =
        StoredFormat.integer(FloatType.BF16, 4, true, ScaleGrid.block(rows, n, 1, 128));
    return new Gptq(Kernels.best(), threads)
        .solve(target, format, weights, hessian, GptqOptions.reference(), Progress.NONE);
  }

  /**
   * Operations of a whole solve that none can do without: n³ of the sweep, 2/3 n³ of the factor.
   */
  double operations() {
    return 5.0 / 3 * n * n * n;
  }

  /** Chains of multiply-adds in registers on all threads at once: operations in a nanosecond. */
  double peak() throws Exception {
    MatrixKernels kernels = Kernels.best().matrices();
    int rounds = threads.threads();
    long start = System.nanoTime();
    threads.run(rounds, (task, _) -> sink[task] = kernels.chains(CHAIN));
    long time = System.nanoTime() - start;
    return (double) kernels.chainOperations() * CHAIN * rounds / time;
  }

  /** Writes the weights, bf16, then the lower triangle of the Hessian, binary32, rows of n. */
  void write(Path file) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      put(channel, weights.asSlice(0, 2L * n * n));
      for (int row = 0; row < n; row++) {
        put(channel, h.data().asSlice(h.offset(row, 0), 4L * n));
      }
    }
  }

  private static void put(FileChannel channel, MemorySegment bytes) throws IOException {
    var buffer = bytes.asByteBuffer();
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }

  @Override
  public void close() {
    threads.close();
    arena.close();
  }
}
