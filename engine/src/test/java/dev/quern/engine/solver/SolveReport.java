package dev.quern.engine.solver;

import dev.quern.engine.kernel.KernelChoice;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Workers;
import dev.quern.engine.quantization.ScaleGrid;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.TreeSet;

/**
 * Solves the same layer some times and prints the kernels, then the different results: one, when no
 * bit depends on what has been compiled. Run by {@link LateCompilationTest} in JVMs of its own.
 */
final class SolveReport {
  private static final int ROWS = 70;
  private static final int COLS = 96;

  private SolveReport() {}

  /** The argument says how many solves. */
  public static void main(String[] args) throws Exception {
    System.out.println(KernelChoice.current().provider());
    TreeSet<String> results = new TreeSet<>();
    for (int i = 0; i < Integer.parseInt(args[0]); i++) {
      results.add(solve());
    }
    results.forEach(System.out::println);
  }

  static String solve() throws InterruptedException {
    SplittableRandom random = new SplittableRandom(5);
    try (Arena arena = Arena.ofShared();
        Workers workers = new Workers(2)) {
      MemorySegment weights = arena.allocate(2L * ROWS * COLS, 64);
      for (int i = 0; i < ROWS * COLS; i++) {
        FloatType.BF16.store(weights, 2L * i, (float) random.nextDouble(-1, 1));
      }
      // Diagonally dominant, so positive definite.
      FloatMatrix h = FloatMatrix.allocate(arena, COLS, COLS);
      for (int i = 0; i < COLS; i++) {
        for (int j = 0; j < i; j++) {
          h.set(i, j, (float) random.nextDouble(-1, 1));
        }
        h.set(i, i, COLS + 10 * (float) random.nextDouble());
      }
      StoredFormat format =
          StoredFormat.integer(FloatType.BF16, 4, true, ScaleGrid.block(ROWS, COLS, 1, 32));
      GptqResult result =
          new Gptq(Kernels.best(), workers)
              .solve(
                  arena,
                  format,
                  weights,
                  Hessian.ofLower(h),
                  GptqOptions.reference().withBlockSize(16),
                  Progress.NONE);
      byte[] codes = result.codes().toArray(ValueLayout.JAVA_BYTE);
      return Arrays.hashCode(codes)
          + " "
          + Arrays.hashCode(result.scales())
          + " "
          + Double.toHexString(result.loss());
    }
  }
}
