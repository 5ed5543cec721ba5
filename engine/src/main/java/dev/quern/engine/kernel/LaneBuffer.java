package dev.quern.engine.kernel;

import java.util.Arrays;

/** The lanes of a sum, one array a thread, so that kernels allocate nothing. */
public final class LaneBuffer {
  private static final ThreadLocal<float[]> LANES =
      ThreadLocal.withInitial(() -> new float[ScalarDecoderKernels.LANES]);

  private LaneBuffer() {}

  /** The calling thread's lanes, all +0; valid until its next call. */
  public static float[] cleared() {
    float[] lanes = LANES.get();
    Arrays.fill(lanes, 0);
    return lanes;
  }
}
