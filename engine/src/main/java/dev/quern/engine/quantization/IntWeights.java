package dev.quern.engine.quantization;

import dev.quern.engine.kernel.IntGroups;
import dev.quern.engine.kernel.IntKernels;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Weights as integers of 2 to 8 bits with scales in the weight's own type: the schemes W8A8, W4A16,
 * W4A16_ASYM and their like. A value of this type says how one matrix is quantized and holds no
 * data.
 *
 * <table>
 *   <caption>What a matrix becomes</caption>
 *   <tr><th></th><th>a byte a code</th><th>packed</th></tr>
 *   <tr><td>codes</td><td>int8 [rows, cols]</td>
 *       <td>int32 [rows, ceil(cols * bits / 32)], each row a stream of its own</td></tr>
 *   <tr><td>scales</td><td colspan="2">[gridRows, gridCols] of {@code type}</td></tr>
 *   <tr><td>zero points, when asymmetric</td><td>int8 [gridRows, gridCols]</td>
 *       <td>int32 [ceil(gridRows * bits / 32), gridCols]</td></tr>
 * </table>
 *
 * <p>All row-major and little-endian; {@link IntKernels} has the layout of packed rows, {@link
 * PackedZeroPoints} that of packed zero points.
 *
 * <p>Source: compressed-tensors 0.18, {@code quantize} and {@code dequantize} for integers, as run
 * on CPU.
 *
 * @param type of the weights and scales
 * @param grid which weights share a scale
 * @param bits width of a code, 2 to 8
 * @param symmetric whether there are no zero points
 * @param packed whether codes and zero points are packed
 */
public record IntWeights(
    FloatType type, ScaleGrid grid, int bits, boolean symmetric, boolean packed) {
  /** Checks the width. */
  public IntWeights {
    if (bits < 2 || bits > 8) {
      throw new IllegalArgumentException(bits + " bits");
    }
  }

  /** The observer that the presets name, in the form that these weights need. */
  public RangeObserver minMax() {
    return symmetric ? SymmetricMinMax.OBSERVER : MinMax.OBSERVER;
  }

  /** Rows of the smallest strip that can be written without knowing the rows around it. */
  public int stripRows() {
    return packed && !symmetric
        ? Math.multiplyExact(PackedZeroPoints.STRIP_ROWS, grid.blockRows())
        : grid.blockRows();
  }

  /** Bytes of the codes of some rows. */
  public long codeBytes(int rows) {
    return rows * codeRowBytes();
  }

  private long codeRowBytes() {
    return packed ? IntKernels.packedBytes(grid.cols(), bits) : grid.cols();
  }

  /** Bytes of the scales of a strip of rows. */
  public long scaleBytes(int rows) {
    ScaleGrid strip = grid.strip(rows);
    return (long) strip.gridRows() * strip.gridCols() * type.bytes();
  }

  /** Bytes of the zero points of a strip of rows; 0 when symmetric. */
  public long zeroPointBytes(int rows) {
    ScaleGrid strip = grid.strip(rows);
    if (symmetric) {
      return 0;
    }
    return packed
        ? PackedZeroPoints.bytes(strip.gridRows(), strip.gridCols(), bits)
        : (long) strip.gridRows() * strip.gridCols();
  }

  /**
   * The range of a strip of a matrix that is one block, for whoever has to know that of the whole
   * before the first strip: smallest and largest value.
   *
   * @throws NonFiniteWeightException when a weight is NaN or infinite
   */
  public float[] range(Kernels kernels, MemorySegment source, int rows) {
    ScaleGrid strip = grid.strip(rows);
    float[] min = new float[1];
    float[] max = new float[1];
    minMax().gridRow(kernels, type, source, strip, 0, min, max);
    requireFinite(source, strip, 0, min, max);
    return new float[] {min[0], max[0]};
  }

  /**
   * Quantizes a strip of whole rows of blocks.
   *
   * @param observer finds the ranges
   * @param source weights, row-major [rows, cols] of {@code type}
   * @param rows rows of the strip
   * @param codes receives {@link #codeBytes}
   * @param scales receives {@link #scaleBytes}
   * @param zeroPoints receives {@link #zeroPointBytes}
   * @throws NonFiniteWeightException when a weight is NaN or infinite; some codes may have been
   *     written
   */
  public void quantize(
      Kernels kernels,
      RangeObserver observer,
      MemorySegment source,
      int rows,
      MemorySegment codes,
      MemorySegment scales,
      MemorySegment zeroPoints) {
    ScaleGrid strip = grid.strip(rows);
    int gridCols = strip.gridCols();
    float[] min = new float[gridCols];
    float[] max = new float[gridCols];
    IntGroups groups = groups();
    if (packed && !symmetric) {
      zeroPoints.fill((byte) 0);
    }
    for (int gridRow = 0; gridRow < strip.gridRows(); gridRow++) {
      observer.gridRow(kernels, type, source, strip, gridRow, min, max);
      requireFinite(source, strip, gridRow, min, max);
      IntParameters.set(type, min, max, groups);
      storeScales(groups.scales(), gridRow, scales);
      if (!symmetric) {
        storeZeroPoints(groups.zeroPoints(), gridRow, zeroPoints);
      }
      for (int row = strip.rowBegin(gridRow); row < strip.rowEnd(gridRow); row++) {
        quantizeRow(kernels, source, row, groups, codes);
      }
    }
  }

  private IntGroups groups() {
    return symmetric
        ? IntGroups.symmetric(bits, grid.blockCols(), grid.gridCols())
        : IntGroups.asymmetric(bits, grid.blockCols(), grid.gridCols());
  }

  private void requireFinite(
      MemorySegment source, ScaleGrid strip, int gridRow, float[] min, float[] max) {
    for (int g = 0; g < min.length; g++) {
      if (!Float.isFinite(min[g]) || !Float.isFinite(max[g])) {
        throw NonFiniteWeightException.find(type, source, strip, gridRow, g);
      }
    }
  }

  private void quantizeRow(
      Kernels kernels, MemorySegment source, int row, IntGroups groups, MemorySegment codes) {
    int cols = grid.cols();
    long from = (long) row * cols * type.bytes();
    long to = row * codeRowBytes();
    if (packed) {
      kernels.integers().quantizePacked(type, source, from, cols, groups, codes, to);
    } else {
      kernels.integers().quantize(type, source, from, cols, groups, codes, to);
    }
  }

  /**
   * Dequantizes one row.
   *
   * @param codes a strip of codes, which begins where {@link #quantize} allows one to
   * @param scales the strip's scales
   * @param zeroPoints the strip's zero points
   * @param row within the strip
   * @param target receives {@code cols} elements of {@code type}
   */
  public void dequantizeRow(
      Kernels kernels,
      MemorySegment codes,
      MemorySegment scales,
      MemorySegment zeroPoints,
      int row,
      MemorySegment target) {
    IntGroups groups = groups();
    int gridRow = row / grid.blockRows();
    loadScales(scales, gridRow, groups.scales());
    if (!symmetric) {
      loadZeroPoints(zeroPoints, gridRow, groups.zeroPoints());
    }
    long from = row * codeRowBytes();
    if (packed) {
      kernels.integers().dequantizePacked(type, codes, from, grid.cols(), groups, target, 0);
    } else {
      kernels.integers().dequantize(type, codes, from, grid.cols(), groups, target, 0);
    }
  }

  private void storeScales(float[] values, int gridRow, MemorySegment scales) {
    long offset = (long) gridRow * values.length * type.bytes();
    for (int g = 0; g < values.length; g++) {
      type.store(scales, offset + (long) g * type.bytes(), values[g]);
    }
  }

  /** Reads the scales of one row of blocks. */
  public void loadScales(MemorySegment scales, int gridRow, float[] values) {
    long offset = (long) gridRow * values.length * type.bytes();
    for (int g = 0; g < values.length; g++) {
      values[g] = type.load(scales, offset + (long) g * type.bytes());
    }
  }

  private void storeZeroPoints(float[] values, int gridRow, MemorySegment zeroPoints) {
    if (packed) {
      PackedZeroPoints.putRow(zeroPoints, bits, gridRow, values);
      return;
    }
    long offset = (long) gridRow * values.length;
    for (int g = 0; g < values.length; g++) {
      zeroPoints.set(ValueLayout.JAVA_BYTE, offset + g, (byte) values[g]);
    }
  }

  /** Reads the zero points of one row of blocks. */
  public void loadZeroPoints(MemorySegment zeroPoints, int gridRow, float[] values) {
    if (packed) {
      PackedZeroPoints.getRow(zeroPoints, bits, gridRow, values);
      return;
    }
    long offset = (long) gridRow * values.length;
    for (int g = 0; g < values.length; g++) {
      values[g] = zeroPoints.get(ValueLayout.JAVA_BYTE, offset + g);
    }
  }
}
