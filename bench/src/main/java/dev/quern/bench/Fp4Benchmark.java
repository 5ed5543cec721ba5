package dev.quern.bench;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.ScalarKernels;
import dev.quern.engine.memory.NativeMemory;
import dev.quern.engine.quantization.AbsMax;
import dev.quern.engine.quantization.MxWeights;
import dev.quern.engine.quantization.Nvfp4Scales;
import dev.quern.engine.quantization.Nvfp4Search;
import dev.quern.engine.quantization.Nvfp4Weights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * NVFP4, MXFP4 and MXFP8 over a weight matrix far larger than any cache: maxima of the groups,
 * their scales, codes, packing. The plain copy to compare with is {@link Fp8Benchmark#copy}.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class Fp4Benchmark {
  private static final Kernels LAW = new ScalarKernels();

  /** How weights become codes and scales, and back. */
  private interface Format {
    /** Of a row. */
    int codeBytes();

    /** Of a row. */
    int scaleBytes();

    void quantize(
        Kernels kernels,
        Weights weights,
        MemorySegment source,
        int rows,
        MemorySegment codes,
        MemorySegment scales);

    void dequantizeRow(
        Kernels kernels,
        Weights weights,
        MemorySegment codes,
        MemorySegment scales,
        int row,
        MemorySegment target);
  }

  private record Mx(MxWeights.Element element) implements Format {
    @Override
    public int codeBytes() {
      return (int) element.bytes(Weights.COLS);
    }

    @Override
    public int scaleBytes() {
      return Weights.COLS / MxWeights.GROUP_SIZE;
    }

    @Override
    public void quantize(
        Kernels kernels,
        Weights weights,
        MemorySegment source,
        int rows,
        MemorySegment codes,
        MemorySegment scales) {
      MxWeights.quantize(kernels, weights.type, element, source, rows, Weights.COLS, codes, scales);
    }

    @Override
    public void dequantizeRow(
        Kernels kernels,
        Weights weights,
        MemorySegment codes,
        MemorySegment scales,
        int row,
        MemorySegment target) {
      MxWeights.dequantizeRow(
          kernels, weights.type, element, codes, scales, Weights.COLS, row, target);
    }
  }

  /** With the scales that a search finds. */
  private record Exact(Nvfp4Search search) implements Format {
    @Override
    public int codeBytes() {
      return Weights.COLS / 2;
    }

    @Override
    public int scaleBytes() {
      return Weights.COLS / Nvfp4Scales.GROUP_SIZE;
    }

    @Override
    public void quantize(
        Kernels kernels,
        Weights weights,
        MemorySegment source,
        int rows,
        MemorySegment codes,
        MemorySegment scales) {
      Nvfp4Weights.quantize(
          kernels, weights.type, source, rows, Weights.COLS, search, codes, scales);
    }

    @Override
    public void dequantizeRow(
        Kernels kernels,
        Weights weights,
        MemorySegment codes,
        MemorySegment scales,
        int row,
        MemorySegment target) {
      new Nvfp4(search.scales()).dequantizeRow(kernels, weights, codes, scales, row, target);
    }
  }

  private record Nvfp4(Nvfp4Scales known) implements Format {
    @Override
    public int codeBytes() {
      return Weights.COLS / 2;
    }

    @Override
    public int scaleBytes() {
      return Weights.COLS / Nvfp4Scales.GROUP_SIZE;
    }

    @Override
    public void quantize(
        Kernels kernels,
        Weights weights,
        MemorySegment source,
        int rows,
        MemorySegment codes,
        MemorySegment scales) {
      Nvfp4Weights.quantize(
          kernels, weights.type, source, rows, Weights.COLS, known, codes, scales);
    }

    @Override
    public void dequantizeRow(
        Kernels kernels,
        Weights weights,
        MemorySegment codes,
        MemorySegment scales,
        int row,
        MemorySegment target) {
      Nvfp4Weights.dequantizeRow(
          kernels, weights.type, codes, scales, known.global(), Weights.COLS, row, target);
    }
  }

  /** Weights, and the codes and scales that were made last. */
  @State(Scope.Thread)
  public static class Quantized extends Weights {
    private Nvfp4 nvfp4;
    private Exact exact;
    private Format format;
    private MemorySegment codes;
    private MemorySegment scales;
    private MemorySegment target;
    private boolean dequantized;

    @Override
    void prepare() {
      codes = allocate(elements());
      scales = allocate(elements() / Nvfp4Scales.GROUP_SIZE);
      target = allocate(bytes());
      int max = AbsMax.ofRows(kernels, type, segment, rows, COLS);
      nvfp4 = new Nvfp4(Nvfp4Scales.of(type, max));
      exact = new Exact(Nvfp4Search.of(type, max, 0));
    }

    void quantize(Format with) {
      format = with;
      format.quantize(kernels, this, segment, rows, codes, scales);
    }

    void dequantize(Format with) {
      if (format != with) {
        quantize(with);
      }
      dequantized = true;
      for (int row = 0; row < rows; row++) {
        MemorySegment to = target.asSlice(offset(row), rowBytes());
        format.dequantizeRow(kernels, this, codes, scales, row, to);
      }
    }

    @Override
    void check() {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment lawCodes = NativeMemory.allocate(arena, format.codeBytes());
        MemorySegment lawScales = NativeMemory.allocate(arena, format.scaleBytes());
        MemorySegment lawWeights = NativeMemory.allocate(arena, rowBytes());
        for (int row : new int[] {0, rows / 2, rows - 1}) {
          MemorySegment source = segment.asSlice(offset(row), rowBytes());
          format.quantize(LAW, this, source, 1, lawCodes, lawScales);
          LawCheck.requireRow("codes", row, codes, lawCodes);
          LawCheck.requireRow("scales", row, scales, lawScales);
          if (dequantized) {
            format.dequantizeRow(LAW, this, lawCodes, lawScales, 0, lawWeights);
            LawCheck.requireRow("dequantized weights", row, target, lawWeights);
          }
        }
      }
    }
  }

  private static final Mx MXFP4 = new Mx(MxWeights.Element.E2M1);
  private static final Mx MXFP8 = new Mx(MxWeights.Element.E4M3);

  /** Scheme NVFP4A16, whose global scale is known. */
  @Benchmark
  public void quantizeNvfp4(Quantized weights) {
    weights.quantize(weights.nvfp4);
  }

  /** The same with observer exact, whose global scale is known. */
  @Benchmark
  public void quantizeNvfp4Exact(Quantized weights) {
    weights.quantize(weights.exact);
  }

  /** Scheme MXFP4A16. */
  @Benchmark
  public void quantizeMxfp4(Quantized weights) {
    weights.quantize(MXFP4);
  }

  /** Scheme MXFP8A16. */
  @Benchmark
  public void quantizeMxfp8(Quantized weights) {
    weights.quantize(MXFP8);
  }

  /** Codes back to weights. The larger side is written here, and counted all the same. */
  @Benchmark
  public void dequantizeNvfp4(Quantized weights) {
    weights.dequantize(weights.nvfp4);
  }

  /** As above. */
  @Benchmark
  public void dequantizeMxfp8(Quantized weights) {
    weights.dequantize(MXFP8);
  }
}
