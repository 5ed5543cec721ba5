package dev.quern.pipeline;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.quantization.ObservedAbsMax;
import dev.quern.engine.quantization.RangeObserver;
import dev.quern.engine.quantization.ScaleGrid;
import java.lang.foreign.MemorySegment;
import java.util.function.IntFunction;

/**
 * The largest magnitude of all ranges that an observer finds in a fused set of matrices, as a bit
 * pattern of their type: the reference takes the global scale from these, and not from the weights.
 *
 * @param grid groups of one row
 * @param codec makes the codec from the bits
 */
record ObservedMaxMeasurement(
    FloatType type, ScaleGrid grid, RangeObserver observer, IntFunction<WeightCodec> codec)
    implements Measurement {
  @Override
  public long[] measure(Kernels kernels, MemorySegment source, int rows) {
    int[] bits = new int[grid.gridCols()];
    int largest = 0;
    for (int row = 0; row < rows; row++) {
      ObservedAbsMax.row(kernels, observer, type, source, grid.cols(), grid.blockCols(), row, bits);
      for (int g : bits) {
        // What is not finite is found again, with its place, when the matrix is compressed.
        largest = g < type.infinityBits() ? Math.max(largest, g) : largest;
      }
    }
    return new long[] {largest};
  }

  @Override
  public void merge(long[] into, long[] other) {
    into[0] = Math.max(into[0], other[0]);
  }

  @Override
  public boolean concernsFusedSet() {
    return true;
  }

  @Override
  public WeightCodec bind(long[] own, long[] fusedSet) {
    return codec.apply((int) fusedSet[0]);
  }
}
