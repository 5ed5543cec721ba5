package dev.quern.bench;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.ScalarKernels;
import dev.quern.engine.quantization.IntWeights;
import dev.quern.engine.quantization.ScaleGrid;
import java.lang.foreign.Arena;
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
 * Integer kernels over a weight matrix far larger than any cache: ranges, codes and packing, as one
 * scheme needs them. An operation is one pass over the matrix; {@link BenchTable} makes it GB/s
 * beside the plain copy of {@link Fp8Benchmark}. Every trial ends with a comparison against the
 * scalar law.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class IntBenchmark {
  private static final Kernels SCALAR = new ScalarKernels();

  /** Whole strips, whatever is packed along rows. */
  private static final int STRIP_ROWS = 32;

  /** Weights, and what the last scheme made of them. */
  @State(Scope.Thread)
  public static class Quantized extends Weights {
    /** How often one operation goes over the matrix. */
    @Param({"1"})
    public int passes;

    MemorySegment codes;
    MemorySegment scales;
    MemorySegment zeroPoints;
    IntWeights scheme;

    @Override
    void prepare() {
      codes = allocate(elements());
      scales = allocate(4L * rows * (COLS / 128));
      zeroPoints = allocate((long) rows * (COLS / 128));
    }

    /** One scale a row. */
    IntWeights channels(int bits, boolean packed) {
      return new IntWeights(type, channels(), bits, true, packed);
    }

    /** One scale for 128 columns. */
    IntWeights groups(int bits, boolean symmetric) {
      ScaleGrid grid = ScaleGrid.block(rows, COLS, 1, 128);
      return new IntWeights(type, grid, bits, symmetric, true);
    }

    void quantize(Kernels kernels, IntWeights wanted) {
      scheme = wanted;
      for (int pass = 0; pass < passes; pass++) {
        wanted.quantize(kernels, wanted.minMax(), segment, rows, codes, scales, zeroPoints);
      }
    }

    @Override
    void check() {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment lawCodes = arena.allocate(scheme.codeBytes(STRIP_ROWS));
        MemorySegment lawScales = arena.allocate(scheme.scaleBytes(STRIP_ROWS));
        MemorySegment lawZeros = arena.allocate(Math.max(1, scheme.zeroPointBytes(STRIP_ROWS)));
        int strips = Math.ceilDiv(rows, STRIP_ROWS);
        for (int strip : new int[] {0, strips / 2, strips - 1}) {
          int row = strip * STRIP_ROWS;
          int n = Math.min(STRIP_ROWS, rows - row);
          scheme.quantize(
              SCALAR,
              scheme.minMax(),
              segment.asSlice(offset(row)),
              n,
              lawCodes,
              lawScales,
              lawZeros);
          same("codes", row, codes, scheme.codeBytes(row), lawCodes, scheme.codeBytes(n));
          same("scales", row, scales, scheme.scaleBytes(row), lawScales, scheme.scaleBytes(n));
          same(
              "zero points",
              row,
              zeroPoints,
              scheme.zeroPointBytes(row),
              lawZeros,
              scheme.zeroPointBytes(n));
        }
      }
    }

    private static void same(
        String what, int row, MemorySegment found, long at, MemorySegment law, long bytes) {
      LawCheck.require(
          what + " from row " + row, MemorySegment.mismatch(found, at, at + bytes, law, 0, bytes));
    }
  }

  /** What a checkpoint holds, and the weights anew. */
  @State(Scope.Thread)
  public static class Dequantized extends Quantized {
    private MemorySegment target;

    @Override
    void prepare() {
      super.prepare();
      quantize(kernels, groups(4, true));
      target = allocate(bytes());
    }

    void dequantize() {
      for (int row = 0; row < rows; row++) {
        MemorySegment to = target.asSlice(offset(row), rowBytes());
        scheme.dequantizeRow(kernels, codes, scales, zeroPoints, row, to);
      }
    }

    @Override
    void check() {
      super.check();
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment law = arena.allocate(rowBytes());
        for (int row : new int[] {0, rows / 2, rows - 1}) {
          scheme.dequantizeRow(SCALAR, codes, scales, zeroPoints, row, law);
          MemorySegment found = target.asSlice(offset(row), rowBytes());
          LawCheck.require("dequantized row " + row, found.mismatch(law));
        }
      }
    }
  }

  /** Scheme W8A8: the maximum of a row, then its codes, a byte each. */
  @Benchmark
  public void quantizeW8A8(Quantized weights) {
    weights.quantize(weights.kernels, weights.channels(8, false));
  }

  /** Scheme W4A16: the maxima of groups of 128, then their codes, packed. */
  @Benchmark
  public void quantizeW4A16(Quantized weights) {
    weights.quantize(weights.kernels, weights.groups(4, true));
  }

  /** Scheme W4A16_ASYM: both ends of the range, zero points packed along rows. */
  @Benchmark
  public void quantizeW4A16Asym(Quantized weights) {
    weights.quantize(weights.kernels, weights.groups(4, false));
  }

  /** Scheme W3A16: codes that straddle words. */
  @Benchmark
  public void quantizeW3A16(Quantized weights) {
    weights.quantize(weights.kernels, weights.groups(3, true));
  }

  /** W4A16 by the scalar law. */
  @Benchmark
  public void quantizeW4A16Scalar(Quantized weights) {
    weights.quantize(SCALAR, weights.groups(4, true));
  }

  /** W4A16 back to weights; the larger side is written here, and counted all the same. */
  @Benchmark
  public void dequantizeW4A16(Dequantized weights) {
    weights.dequantize();
  }
}
