package dev.quern.pipeline;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.quantization.AbsMax;
import java.lang.foreign.MemorySegment;
import java.util.function.IntFunction;

/**
 * The largest magnitude of a whole matrix, as a bit pattern of its type.
 *
 * @param concernsFusedSet whether it is the largest of all fused matrices that counts
 * @param codec makes the codec from the bits
 */
record AbsMaxMeasurement(
    FloatType type, int cols, boolean concernsFusedSet, IntFunction<WeightCodec> codec)
    implements Measurement {
  @Override
  public long[] measure(Kernels kernels, MemorySegment source, int rows) {
    return new long[] {AbsMax.ofRows(kernels, type, source, rows, cols)};
  }

  @Override
  public void merge(long[] into, long[] other) {
    into[0] = Math.max(into[0], other[0]);
  }

  @Override
  public WeightCodec bind(long[] own, long[] fusedSet) {
    return codec.apply((int) (concernsFusedSet ? fusedSet[0] : own[0]));
  }
}
