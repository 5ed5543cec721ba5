package dev.quern.engine.quantization;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;

/**
 * Finds the range that each block of a weight matrix shall be quantized over: what the reference
 * calls an observer. Scales and zero points follow from the ranges, see {@link IntParameters}.
 */
@FunctionalInterface
public interface RangeObserver {
  /**
   * The ranges of one row of blocks.
   *
   * @param source the matrix, or a strip of it, row-major, from its first row
   * @param min receives {@link ScaleGrid#gridCols()} values of {@code type}; NaN or infinite only
   *     when a weight of the block is
   * @param max the same
   */
  void gridRow(
      Kernels kernels,
      FloatType type,
      MemorySegment source,
      ScaleGrid grid,
      int gridRow,
      float[] min,
      float[] max);
}
