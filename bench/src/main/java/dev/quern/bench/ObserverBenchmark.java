package dev.quern.bench;

import dev.quern.engine.kernel.CandidateFormat;
import dev.quern.engine.kernel.RangeSearch;
import dev.quern.engine.kernel.ScalarRangeSearch;
import dev.quern.engine.quantization.observer.ObserverSettings;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * Search observers over a weight matrix; an operation is one search of all its blocks. They are
 * bound by arithmetic, so a matrix of 1,024 KiB shows what a large one does, in less time.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class ObserverBenchmark {
  /** Weights, and the ranges that were found last. */
  @State(Scope.Thread)
  public static class Ranges extends Weights {
    private RangeSearch search;
    private int blockCols;
    private float[] min;
    private float[] max;

    @Override
    void prepare() {}

    float[] find(String observer, CandidateFormat format, int columns) {
      if (search == null) {
        search = ObserverSettings.of(observer).search(type, format);
        blockCols = columns;
        int blocks = Math.toIntExact(elements() / columns);
        min = new float[blocks];
        max = new float[blocks];
      }
      kernels
          .rangeSearch()
          .search(search, search.steps(), segment, 0, min.length, blockCols, min, max, 0);
      return min;
    }

    /** The first, the middle and the last block. */
    @Override
    void check() {
      float[] lowest = new float[1];
      float[] highest = new float[1];
      for (int block : new int[] {0, min.length / 2, min.length - 1}) {
        long offset = (long) block * blockCols * type.bytes();
        new ScalarRangeSearch()
            .search(search, search.steps(), segment, offset, 1, blockCols, lowest, highest, 0);
        float[] expected = {lowest[0], highest[0]};
        float[] actual = {min[block], max[block]};
        if (!Arrays.equals(actual, expected)) {
          throw new IllegalStateException(
              "block "
                  + block
                  + ": range "
                  + Arrays.toString(actual)
                  + ", the law has "
                  + Arrays.toString(expected));
        }
      }
    }
  }

  /** W4A16 with {@code memoryless_mse}: groups of 128, 20 steps. */
  @Benchmark
  public float[] mseInt4Group(Ranges weights) {
    return weights.find("memoryless_mse", CandidateFormat.integer(4, true), 128);
  }

  /** W4A16_ASYM with {@code memoryless_mse}. */
  @Benchmark
  public float[] mseInt4AsymmetricGroup(Ranges weights) {
    return weights.find("memoryless_mse", CandidateFormat.integer(4, false), 128);
  }

  /** FP8_DYNAMIC with {@code memoryless_mse}: rows. */
  @Benchmark
  public float[] mseE4M3Row(Ranges weights) {
    return weights.find("memoryless_mse", CandidateFormat.E4M3, Weights.COLS);
  }

  /** NVFP4 with {@code nvfp4_expanded_mse}: groups of 16, 111 steps. */
  @Benchmark
  public float[] expandedE2M1Group(Ranges weights) {
    return weights.find("nvfp4_expanded_mse", CandidateFormat.E2M1, 16);
  }

  /** W4A16 with {@code exact}: 299 ranges for each group. */
  @Benchmark
  public float[] exactInt4Group(Ranges weights) {
    return weights.find("exact", CandidateFormat.integer(4, true), 128);
  }
}
