package dev.quern.bench;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.ScalarKernels;
import dev.quern.engine.memory.NativeMemory;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.quantization.AbsMax;
import dev.quern.engine.quantization.E4M3Weights;
import dev.quern.engine.quantization.ScaleGrid;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * FP8 kernels over a weight matrix of 128 MiB a thread, far larger than any cache, beside a plain
 * copy of the same source bytes. An operation is one pass over the matrix; {@link BenchTable} turns
 * it into GB/s of source.
 */
@State(Scope.Thread)
public class Fp8Benchmark {
  static final int ROWS = 16_384;
  static final int COLS = 4_096;

  /** The type of the weights. */
  @Param({"BF16"})
  public FloatType type;

  private Kernels kernels;
  private Arena arena;
  private MemorySegment weights;
  private MemorySegment target;
  private MemorySegment scales;
  private ScaleGrid lastGrid;
  private int lastMax;

  /** Source bytes that one operation reads. */
  static long sourceBytes(FloatType type) {
    return (long) ROWS * COLS * type.bytes();
  }

  @Setup(Level.Trial)
  public void fill() {
    kernels = Kernels.best();
    arena = Arena.ofConfined();
    weights = NativeMemory.allocate(arena, sourceBytes(type));
    target = NativeMemory.allocate(arena, sourceBytes(type));
    scales = NativeMemory.allocate(arena, (long) ROWS * 4);
    SplittableRandom random = new SplittableRandom(42);
    float[] row = new float[COLS];
    for (int r = 0; r < ROWS; r++) {
      if (r < 64) {
        for (int c = 0; c < COLS; c++) {
          row[c] = (float) (random.nextGaussian() * 0.02);
        }
      }
      // Rows differ in scale and rotation; the generator alone would take longer than the
      // benchmark.
      float gain = 1f + (r % 97) / 97f;
      int shift = (r * 131) % COLS;
      for (int c = 0; c < COLS; c++) {
        long index = (long) r * COLS + c;
        type.store(weights, index * type.bytes(), row[(c + shift) % COLS] * gain);
      }
    }
  }

  @Benchmark
  public void copy() {
    MemorySegment.copy(weights, 0, target, 0, weights.byteSize());
  }

  @Benchmark
  public int absMaxTensor() {
    return absMax(ScaleGrid.tensor(ROWS, COLS));
  }

  @Benchmark
  public int absMaxRow() {
    return absMax(ScaleGrid.channel(ROWS, COLS));
  }

  @Benchmark
  public int absMaxTile() {
    return absMax(ScaleGrid.block(ROWS, COLS, 128, 128));
  }

  private int absMax(ScaleGrid grid) {
    int[] maxBits = new int[grid.gridCols()];
    int max = 0;
    for (int g = 0; g < grid.gridRows(); g++) {
      AbsMax.gridRow(kernels, type, weights, grid, g, maxBits);
      for (int bits : maxBits) {
        max = Math.max(max, bits);
      }
    }
    lastMax = max;
    return max;
  }

  @Benchmark
  public void quantizeChannel() {
    quantize(ScaleGrid.channel(ROWS, COLS));
  }

  @Benchmark
  public void quantizeBlock() {
    quantize(ScaleGrid.block(ROWS, COLS, 128, 128));
  }

  @Benchmark
  public void quantizeTensor() {
    quantize(ScaleGrid.tensor(ROWS, COLS));
  }

  private void quantize(ScaleGrid grid) {
    E4M3Weights.quantize(kernels, type, weights, grid, target, scales);
    lastGrid = grid;
  }

  /** Codes back to weights: reads half as many bytes as it writes; counted in bytes of weights. */
  @Benchmark
  public void dequantizeChannel() {
    ScaleGrid grid = ScaleGrid.channel(ROWS, COLS);
    for (int r = 0; r < ROWS; r++) {
      long row = (long) r * COLS * type.bytes();
      E4M3Weights.dequantizeRow(
          kernels, type, weights, scales, grid, r, target.asSlice(row, (long) COLS * type.bytes()));
    }
  }

  /** A benchmark of wrong results measures nothing. */
  @TearDown(Level.Trial)
  public void check() {
    ScalarKernels law = new ScalarKernels();
    if (lastGrid != null) {
      for (int gridRow = 0; gridRow < Math.min(2, lastGrid.gridRows()); gridRow++) {
        int[] maxBits = new int[lastGrid.gridCols()];
        AbsMax.gridRow(law, type, weights, lastGrid, gridRow, maxBits);
        int row = lastGrid.rowBegin(gridRow);
        for (int c = 0; c < COLS; c++) {
          long index = (long) row * COLS + c;
          float x = type.load(weights, index * type.bytes());
          float scale = E4M3Weights.scale(type, maxBits[c / lastGrid.blockCols()]);
          byte expected = ScalarKernels.quantizeE4M3(type, x, scale);
          byte actual = target.get(ValueLayout.JAVA_BYTE, index);
          if (actual != expected) {
            throw new IllegalStateException("code at " + index + ": " + actual + " != " + expected);
          }
        }
      }
    }
    if (lastMax != 0) {
      int[] maxBits = new int[1];
      AbsMax.gridRow(law, type, weights, ScaleGrid.tensor(ROWS, COLS), 0, maxBits);
      if (maxBits[0] != lastMax) {
        throw new IllegalStateException("maxima " + lastMax + " != " + Arrays.toString(maxBits));
      }
    }
    arena.close();
  }
}
