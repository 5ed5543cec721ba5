package dev.quern.engine.model;

import dev.quern.engine.kernel.DecoderKernels;
import dev.quern.engine.linalg.FloatMatrix;
import java.lang.foreign.MemorySegment;

/** An RMSNorm with its weights. */
final class Norm {
  private final NormSpec spec;
  private final int size;
  private final MemorySegment weights;

  Norm(NormSpec spec, int size, Weights source) {
    this.spec = spec;
    this.size = size;
    float[] values = source.vector(spec.name() + ".weight", size);
    if (spec.plusOne()) {
      for (int i = 0; i < size; i++) {
        values[i] = 1 + values[i];
      }
    }
    weights = Vectors.of(values);
  }

  int size() {
    return size;
  }

  /** Normalises a run of {@link #size} elements. */
  void apply(
      DecoderKernels kernels,
      MemorySegment x,
      long offset,
      MemorySegment target,
      long targetOffset) {
    kernels.rmsNorm(x, offset, weights, 0, size, spec.epsilon(), target, targetOffset);
  }

  /** Normalises each row; source and target may be the same. */
  void apply(DecoderWorkspace workspace, FloatMatrix x, FloatMatrix target) {
    DecoderKernels kernels = workspace.kernels();
    workspace.rows(
        x.rows(),
        8L * size,
        row -> apply(kernels, x.data(), x.offset(row, 0), target.data(), target.offset(row, 0)));
  }
}
