package dev.quern.bench;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.ScalarKernels;
import dev.quern.engine.quantization.AbsMax;
import dev.quern.engine.quantization.E4M3Weights;
import dev.quern.engine.quantization.ScaleGrid;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * FP8 kernels over a weight matrix far larger than any cache, beside a plain copy of the same
 * bytes. An operation is one pass over the matrix; {@link BenchTable} makes it GB/s. Every trial
 * ends with a comparison against the scalar law, and a difference fails the run.
 *
 * <p>No {@code AuxCounters} here: JMH counts in them what threads do while they wait for each other
 * before and after the measured time, but divides by that time alone (6% too much, seen with two
 * threads and 10 ms an operation).
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class Fp8Benchmark {
  private static final Kernels SCALAR = new ScalarKernels();

  /** Weights and their copy. */
  @State(Scope.Thread)
  public static class Copied extends Weights {
    MemorySegment target;

    @Override
    void prepare() {
      target = allocate(bytes());
    }

    @Override
    void check() {
      LawCheck.copied(this, target);
    }
  }

  /** Weights and the maxima that were found last. */
  @State(Scope.Thread)
  public static class Maxima extends Weights {
    private ScaleGrid grid;
    private int[] bits;
    private int[] rowBits;

    @Override
    void prepare() {}

    /** All maxima of a grid, row by row. */
    int[] find(ScaleGrid grid) {
      if (bits == null) {
        this.grid = grid;
        rowBits = new int[grid.gridCols()];
        bits = new int[grid.gridRows() * grid.gridCols()];
      }
      for (int g = 0; g < grid.gridRows(); g++) {
        AbsMax.gridRow(kernels, type, segment, grid, g, rowBits);
        System.arraycopy(rowBits, 0, bits, g * rowBits.length, rowBits.length);
      }
      return bits;
    }

    @Override
    void check() {
      LawCheck.maxima(this, grid, bits);
    }
  }

  /** Weights, and the codes and scales that were made last. */
  @State(Scope.Thread)
  public static class Quantized extends Weights {
    /**
     * How often one operation goes over the matrix. A small matrix needs many: the JVM compiles
     * after an amount of work, and a warm-up of short operations may end before it did.
     */
    @Param({"1"})
    public int passes;

    MemorySegment codes;
    MemorySegment scales;
    ScaleGrid grid;

    /** One byte an element; a scale a row is the finest grid here. */
    @Override
    void prepare() {
      codes = allocate(elements());
      scales = allocate(Math.max(rows, tiles().gridRows() * tiles().gridCols()) * 4L);
    }

    void quantize(Kernels kernels, ScaleGrid grid) {
      this.grid = grid;
      for (int pass = 0; pass < passes; pass++) {
        E4M3Weights.quantize(kernels, type, segment, grid, codes, scales);
      }
    }

    @Override
    void check() {
      LawCheck.codes(this, grid, codes, scales);
    }
  }

  /** What a checkpoint holds, codes of real weights with their scales, and the weights anew. */
  @State(Scope.Thread)
  public static class Dequantized extends Quantized {
    private MemorySegment target;

    @Override
    void prepare() {
      super.prepare();
      quantize(kernels, channels());
      target = allocate(bytes());
    }

    void dequantize() {
      for (int row = 0; row < rows; row++) {
        MemorySegment to = target.asSlice(offset(row), rowBytes());
        E4M3Weights.dequantizeRow(kernels, type, codes, scales, grid, row, to);
      }
    }

    @Override
    void check() {
      super.check();
      LawCheck.dequantized(this, grid, codes, scales, target);
    }
  }

  /** The yardstick: the JDK's own copy, which writes as much as it reads. */
  @Benchmark
  public void copy(Copied weights) {
    MemorySegment.copy(weights.segment, 0, weights.target, 0, weights.bytes());
  }

  /** One maximum for the matrix. */
  @Benchmark
  public int[] absMaxTensor(Maxima weights) {
    return weights.find(weights.whole());
  }

  /** One maximum for each row. */
  @Benchmark
  public int[] absMaxRow(Maxima weights) {
    return weights.find(weights.channels());
  }

  /** One maximum for each tile of 128 x 128. */
  @Benchmark
  public int[] absMaxTile(Maxima weights) {
    return weights.find(weights.tiles());
  }

  /** Scheme FP8_DYNAMIC: the maximum of a row, then its codes. */
  @Benchmark
  public void quantizeChannel(Quantized weights) {
    weights.quantize(weights.kernels, weights.channels());
  }

  /** The same by the scalar law: what the vectors gain. */
  @Benchmark
  public void quantizeChannelScalar(Quantized weights) {
    weights.quantize(SCALAR, weights.channels());
  }

  /** Scheme FP8_BLOCK: the maxima of 128 rows in tiles, then their codes. */
  @Benchmark
  public void quantizeBlock(Quantized weights) {
    weights.quantize(weights.kernels, weights.tiles());
  }

  /** Scheme FP8: the maximum of the matrix, then its codes, which reads memory twice. */
  @Benchmark
  public void quantizeTensor(Quantized weights) {
    weights.quantize(weights.kernels, weights.whole());
  }

  /** Codes back to weights. The larger side is written here, and counted all the same. */
  @Benchmark
  public void dequantizeChannel(Dequantized weights) {
    weights.dequantize();
  }
}
