package dev.quern.pipeline;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.ScalarIntKernels;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.quantization.IntWeights;
import dev.quern.engine.quantization.RangeObserver;
import java.lang.foreign.MemorySegment;
import java.util.function.Function;

/**
 * The smallest and the largest value of a whole matrix, as keys that order like them.
 *
 * @param weights how the matrix is quantized: as one block
 * @param codec makes the codec that finds this range in every strip
 */
record RangeMeasurement(IntWeights weights, Function<RangeObserver, WeightCodec> codec)
    implements Measurement {
  @Override
  public long[] measure(Kernels kernels, MemorySegment source, int rows) {
    float[] range = weights.range(kernels, source, rows);
    return new long[] {key(range[0]), key(range[1])};
  }

  private static long key(float value) {
    return ScalarIntKernels.orderedKey(FloatType.F32, Float.floatToRawIntBits(value));
  }

  @Override
  public void merge(long[] into, long[] other) {
    into[0] = Math.min(into[0], other[0]);
    into[1] = Math.max(into[1], other[1]);
  }

  @Override
  public boolean concernsFusedSet() {
    return false;
  }

  @Override
  public WeightCodec bind(long[] own, long[] fusedSet) {
    float smallest = ScalarIntKernels.valueOfKey(FloatType.F32, (int) own[0]);
    float largest = ScalarIntKernels.valueOfKey(FloatType.F32, (int) own[1]);
    return codec.apply(
        (kernels, type, source, grid, gridRow, min, max) -> {
          min[0] = smallest;
          max[0] = largest;
        });
  }
}
