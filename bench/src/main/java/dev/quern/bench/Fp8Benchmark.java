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
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * FP8 kernels over a weight matrix far larger than any cache, beside a plain copy of the same
 * bytes. An operation is one pass over the matrix. Every trial ends with a comparison against the
 * scalar law; one wrong byte fails the run.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class Fp8Benchmark {
  private static final Kernels SCALAR = new ScalarKernels();

  /** Where the copy goes. */
  @State(Scope.Thread)
  public static class Copied {
    MemorySegment target;

    /** Touches every page, as all native memory is zeroed. */
    @Setup(Level.Trial)
    public void setUp(Weights weights) {
      target = weights.allocate(weights.bytes());
    }

    /** Compares all bytes. */
    @TearDown(Level.Trial)
    public void check(Weights weights) {
      LawCheck.copied(weights, target);
    }
  }

  /** The maxima that were found last. */
  @State(Scope.Thread)
  public static class Maxima {
    ScaleGrid grid;
    int[] bits;
    private int[] rowBits;

    /** All maxima of a grid, row by row. */
    void find(Weights weights, ScaleGrid grid) {
      if (bits == null) {
        this.grid = grid;
        rowBits = new int[grid.gridCols()];
        bits = new int[grid.gridRows() * grid.gridCols()];
      }
      for (int g = 0; g < grid.gridRows(); g++) {
        AbsMax.gridRow(weights.kernels, weights.type, weights.segment, grid, g, rowBits);
        System.arraycopy(rowBits, 0, bits, g * rowBits.length, rowBits.length);
      }
    }

    /** Compares the maxima of some grid rows. */
    @TearDown(Level.Trial)
    public void check(Weights weights) {
      LawCheck.maxima(weights, grid, bits);
    }
  }

  /** Codes and scales that were made last. */
  @State(Scope.Thread)
  public static class Quantized {
    MemorySegment codes;
    MemorySegment scales;
    ScaleGrid grid;

    /** One byte an element, and room for one scale a row, which is the finest grid here. */
    @Setup(Level.Trial)
    public void setUp(Weights weights) {
      codes = weights.allocate(weights.elements());
      scales = weights.allocate((long) weights.rows * weights.type.bytes());
    }

    void quantize(Weights weights, ScaleGrid grid) {
      quantize(weights.kernels, weights, grid);
    }

    void quantize(Kernels kernels, Weights weights, ScaleGrid grid) {
      this.grid = grid;
      E4M3Weights.quantize(kernels, weights.type, weights.segment, grid, codes, scales);
    }

    /** Compares scales and codes of some rows. */
    @TearDown(Level.Trial)
    public void check(Weights weights) {
      LawCheck.codes(weights, grid, codes, scales);
    }
  }

  /** Weights made from the codes of real weights, in a buffer of their own. */
  @State(Scope.Thread)
  public static class Dequantized {
    MemorySegment target;

    /** Quantizes once, so that codes and scales are what a checkpoint holds. */
    @Setup(Level.Trial)
    public void setUp(Weights weights, Quantized quantized) {
      quantized.quantize(weights, weights.channel());
      target = weights.allocate(weights.bytes());
    }

    /** Compares some rows. */
    @TearDown(Level.Trial)
    public void check(Weights weights, Quantized quantized) {
      LawCheck.dequantized(weights, quantized.grid, quantized.codes, quantized.scales, target);
    }
  }

  /** The yardstick: the JDK's own copy, which writes as much as it reads. */
  @Benchmark
  public void copy(Weights weights, Copied copied, SourceBytes source) {
    MemorySegment.copy(weights.segment, 0, copied.target, 0, weights.bytes());
    source.add(weights.bytes());
  }

  /** One maximum for the matrix. */
  @Benchmark
  public int[] absMaxTensor(Weights weights, Maxima maxima, SourceBytes source) {
    return absMax(weights, maxima, weights.tensor(), source);
  }

  /** One maximum for each row. */
  @Benchmark
  public int[] absMaxRow(Weights weights, Maxima maxima, SourceBytes source) {
    return absMax(weights, maxima, weights.channel(), source);
  }

  /** One maximum for each tile of 128 x 128. */
  @Benchmark
  public int[] absMaxTile(Weights weights, Maxima maxima, SourceBytes source) {
    return absMax(weights, maxima, weights.block(), source);
  }

  private static int[] absMax(
      Weights weights, Maxima maxima, ScaleGrid grid, SourceBytes source) {
    maxima.find(weights, grid);
    source.add(weights.bytes());
    return maxima.bits;
  }

  /** Scheme FP8_DYNAMIC: maximum of a row, then its codes. */
  @Benchmark
  public void quantizeChannel(Weights weights, Quantized quantized, SourceBytes source) {
    quantized.quantize(weights, weights.channel());
    source.add(weights.bytes());
  }

  /** The same by the scalar law: what the vectors gain. */
  @Benchmark
  public void quantizeChannelScalar(Weights weights, Quantized quantized, SourceBytes source) {
    quantized.quantize(SCALAR, weights, weights.channel());
    source.add(weights.bytes());
  }

  /** Scheme FP8_BLOCK: maxima of 128 rows in tiles, then their codes. */
  @Benchmark
  public void quantizeBlock(Weights weights, Quantized quantized, SourceBytes source) {
    quantized.quantize(weights, weights.block());
    source.add(weights.bytes());
  }

  /** Scheme FP8: the maximum of the matrix, then its codes, which reads memory twice. */
  @Benchmark
  public void quantizeTensor(Weights weights, Quantized quantized, SourceBytes source) {
    quantized.quantize(weights, weights.tensor());
    source.add(weights.bytes());
  }

  /** Codes back to weights. Here alone the larger side is written; it is counted all the same. */
  @Benchmark
  public void dequantizeChannel(
      Weights weights, Quantized quantized, Dequantized dequantized, SourceBytes source) {
    for (int row = 0; row < weights.rows; row++) {
      E4M3Weights.dequantizeRow(
          weights.kernels,
          weights.type,
          quantized.codes,
          quantized.scales,
          quantized.grid,
          row,
          dequantized.target.asSlice(weights.offset(row), weights.rowBytes()));
    }
    source.add(weights.bytes());
  }
}
