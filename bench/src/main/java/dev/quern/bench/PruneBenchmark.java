package dev.quern.bench;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.PruneKernels;
import dev.quern.engine.kernel.ScalarKernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * Pruning kernels over a weight matrix far larger than any cache. An operation is one pass over the
 * matrix; {@link BenchTable} makes it GB/s beside the plain copy of {@link Fp8Benchmark}, which
 * reads and writes as much. Every trial ends with a comparison against the scalar law.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class PruneBenchmark {
  private static final Kernels SCALAR = new ScalarKernels();

  /** What a benchmark does with a row. */
  @FunctionalInterface
  interface RowOperation {
    void run(PruneKernels kernels, Pruned weights, int row, MemorySegment target, long to);
  }

  /** Weights, and what is left of them. */
  @State(Scope.Thread)
  public static class Pruned extends Weights {
    private static final int DIGIT_BITS = 15;

    private MemorySegment target;
    private MemorySegment scores;
    private float[] columnScales;
    private int[] counts;
    private int threshold;
    private RowOperation last;

    @Override
    void prepare() {
      target = allocate(bytes());
      scores = allocate(4L * COLS);
      columnScales = new float[COLS];
      for (int col = 0; col < COLS; col++) {
        columnScales[col] = 1 + col % 17;
      }
      counts = new int[1 << DIGIT_BITS];
      threshold = type.encode(0.02f);
    }

    void run(Kernels provider, RowOperation operation) {
      last = operation;
      for (int row = 0; row < rows; row++) {
        operation.run(provider.pruning(), this, row, target, offset(row));
      }
    }

    int[] count(Kernels provider) {
      Arrays.fill(counts, 0);
      int shift = type == FloatType.F32 ? 16 : 0;
      for (int row = 0; row < rows; row++) {
        provider
            .pruning()
            .countDigits(type, segment, offset(row), COLS, shift, DIGIT_BITS, 0, counts);
      }
      return counts;
    }

    @Override
    void check() {
      if (last == null) {
        int[] found = counts.clone();
        LawCheck.require("counts of digits", Arrays.mismatch(found, count(SCALAR)));
        return;
      }
      MemorySegment expected = allocate(rowBytes());
      for (int row : new int[] {0, rows / 2, rows - 1}) {
        last.run(SCALAR.pruning(), this, row, expected, 0);
        LawCheck.requireRow("pruned weights", row, target, expected);
      }
    }
  }

  private static void groups(Pruned weights, Kernels kernels, int prune, int groupSize) {
    weights.run(
        kernels,
        (provider, w, row, target, to) ->
            provider.pruneGroups(
                w.type, w.segment, w.offset(row), Weights.COLS, prune, groupSize, target, to));
  }

  /** Magnitude 2:4. */
  @Benchmark
  public void magnitude24(Pruned weights) {
    groups(weights, weights.kernels, 2, 4);
  }

  /** Magnitude 2:4 by the scalar law. */
  @Benchmark
  public void magnitude24Scalar(Pruned weights) {
    groups(weights, SCALAR, 2, 4);
  }

  /** Magnitude 4:8. */
  @Benchmark
  public void magnitude48(Pruned weights) {
    groups(weights, weights.kernels, 4, 8);
  }

  /** Wanda 2:4: scores of a row, then its groups. */
  @Benchmark
  public void wanda24(Pruned weights) {
    weights.run(
        weights.kernels,
        (provider, w, row, target, to) -> {
          provider.scores(
              w.type, w.segment, w.offset(row), Weights.COLS, w.columnScales, w.scores, 0);
          provider.pruneGroupsByScore(
              w.type, w.segment, w.offset(row), w.scores, 0, Weights.COLS, 2, 4, target, to);
        });
  }

  /** The second pass of unstructured magnitude: what is below the threshold goes. */
  @Benchmark
  public void pruneBelow(Pruned weights) {
    weights.run(
        weights.kernels,
        (provider, w, row, target, to) ->
            provider.pruneBelow(
                w.type, w.segment, w.offset(row), Weights.COLS, w.threshold, target, to));
  }

  /** The first pass of unstructured magnitude: a histogram of the upper 15 bits. */
  @Benchmark
  public int[] countDigits(Pruned weights) {
    return weights.count(weights.kernels);
  }
}
