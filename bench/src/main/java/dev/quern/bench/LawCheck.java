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

/**
 * Compares what a benchmark left behind with the scalar law: a benchmark of wrong results measures
 * nothing. The copy is compared whole, the rest in the first, middle and last row (of weights or of
 * blocks); whole domains are the business of the engine's own tests.
 */
final class LawCheck {
  private static final Kernels LAW = new ScalarKernels();

  private LawCheck() {}

  static void copied(Weights weights, MemorySegment target) {
    require("copy", weights.segment.mismatch(target));
  }

  static void maxima(Weights weights, ScaleGrid grid, int[] bits) {
    int gridCols = grid.gridCols();
    int[] expected = new int[gridCols];
    for (int g : sample(grid.gridRows())) {
      AbsMax.gridRow(LAW, weights.type, weights.segment, grid, g, expected);
      int[] actual = Arrays.copyOfRange(bits, g * gridCols, (g + 1) * gridCols);
      require("maxima of grid row " + g, Arrays.mismatch(actual, expected));
    }
  }

  static void codes(Weights weights, ScaleGrid grid, MemorySegment codes, MemorySegment scales) {
    FloatType type = weights.type;
    int[] maxBits = new int[grid.gridCols()];
    for (int g : sample(grid.gridRows())) {
      AbsMax.gridRow(LAW, type, weights.segment, grid, g, maxBits);
      for (int c = 0; c < maxBits.length; c++) {
        float expected = E4M3Weights.scale(type, maxBits[c]);
        float actual = type.load(scales, ((long) g * maxBits.length + c) * type.bytes());
        require("scale in grid row " + g, actual == expected ? -1 : c);
      }
      for (int row : new int[] {grid.rowBegin(g), grid.rowEnd(g) - 1}) {
        for (int col = 0; col < grid.cols(); col++) {
          float x = type.load(weights.segment, weights.offset(row) + (long) col * type.bytes());
          float scale = E4M3Weights.scale(type, maxBits[col / grid.blockCols()]);
          byte expected = ScalarKernels.quantizeE4M3(type, x, scale);
          byte actual = codes.get(ValueLayout.JAVA_BYTE, (long) row * grid.cols() + col);
          require("code in row " + row, actual == expected ? -1 : col);
        }
      }
    }
  }

  static void dequantized(
      Weights weights,
      ScaleGrid grid,
      MemorySegment codes,
      MemorySegment scales,
      MemorySegment target) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment expected = NativeMemory.allocate(arena, weights.rowBytes());
      for (int row : sample(weights.rows)) {
        E4M3Weights.dequantizeRow(LAW, weights.type, codes, scales, grid, row, expected);
        MemorySegment actual = target.asSlice(weights.offset(row), weights.rowBytes());
        require("dequantized row " + row, actual.mismatch(expected));
      }
    }
  }

  static void converted(
      FloatType from, MemorySegment source, FloatType to, MemorySegment target, int rows) {
    long cols = source.byteSize() / from.bytes() / rows;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment expected = NativeMemory.allocate(arena, cols * to.bytes());
      for (int row : sample(rows)) {
        long element = row * cols;
        LAW.convert(from, source, element * from.bytes(), (int) cols, to, expected, 0);
        MemorySegment actual = target.asSlice(element * to.bytes(), cols * to.bytes());
        require("converted row " + row, actual.mismatch(expected));
      }
    }
  }

  /** A row of {@code actual}, whose rows have as many bytes as {@code expected}. */
  static void requireRow(String what, int row, MemorySegment actual, MemorySegment expected) {
    MemorySegment found = actual.asSlice(row * expected.byteSize(), expected.byteSize());
    require(what + " of row " + row, found.mismatch(expected));
  }

  private static int[] sample(int rows) {
    return new int[] {0, rows / 2, rows - 1};
  }

  static void require(String what, long mismatch) {
    if (mismatch >= 0) {
      throw new IllegalStateException(
          what + " differs from the scalar law, first at " + mismatch + "; the rates are void");
    }
  }
}
