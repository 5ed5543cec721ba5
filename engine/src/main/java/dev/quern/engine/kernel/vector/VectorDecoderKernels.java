package dev.quern.engine.kernel.vector;

import dev.quern.engine.kernel.DecoderKernels;
import dev.quern.engine.kernel.LaneBuffer;
import dev.quern.engine.kernel.ScalarDecoderKernels;
import java.lang.foreign.MemorySegment;

/** The SIMD twins of {@link ScalarDecoderKernels}; whole vectors here, tails by the law. */
final class VectorDecoderKernels implements DecoderKernels {
  private static final ScalarDecoderKernels LAW = new ScalarDecoderKernels();
  private static final int LANES = ScalarDecoderKernels.LANES;

  @Override
  public void rmsNorm(
      MemorySegment x,
      long xOffset,
      MemorySegment weight,
      long weightOffset,
      int n,
      float epsilon,
      MemorySegment target,
      long targetOffset) {
    int whole = n - n % LANES;
    float[] lanes = LaneBuffer.cleared();
    NormVectors.addSquares(x, xOffset, whole, lanes);
    ScalarDecoderKernels.addSquares(x, xOffset, whole, n, lanes);
    float r = ScalarDecoderKernels.inverseRoot(ScalarDecoderKernels.sum(lanes), n, epsilon);
    NormVectors.normalise(x, xOffset, r, weight, weightOffset, whole, target, targetOffset);
    ScalarDecoderKernels.normalise(
        x, xOffset, r, weight, weightOffset, target, targetOffset, whole, n);
  }

  @Override
  public float exponentials(MemorySegment x, long offset, int n) {
    int whole = n - n % LANES;
    float max = SoftmaxVectors.max(x, offset, whole);
    max = ScalarDecoderKernels.max(x, offset, whole, n, max);
    float[] lanes = LaneBuffer.cleared();
    SoftmaxVectors.exponentials(x, offset, whole, max, lanes);
    ScalarDecoderKernels.exponentials(x, offset, whole, n, max, lanes);
    return ScalarDecoderKernels.sum(lanes);
  }

  @Override
  public void softCap(MemorySegment x, long offset, int n, float cap) {
    int done = TanhVectors.softCap(x, offset, n, cap);
    LAW.softCap(x, offset + 4L * done, n - done, cap);
  }

  @Override
  public void scale(MemorySegment x, long offset, int n, float factor) {
    int done = AddVectors.scale(x, offset, n, factor);
    LAW.scale(x, offset + 4L * done, n - done, factor);
  }

  @Override
  public void add(
      MemorySegment x, long xOffset, int n, float factor, MemorySegment target, long targetOffset) {
    int done = AddVectors.add(x, xOffset, n, factor, target, targetOffset);
    LAW.add(x, xOffset + 4L * done, n - done, factor, target, targetOffset + 4L * done);
  }

  @Override
  public void rotate(MemorySegment x, long offset, int n, MemorySegment angles, long anglesOffset) {
    int done = AddVectors.rotate(x, offset, n, angles, anglesOffset);
    ScalarDecoderKernels.rotate(x, offset, n, angles, anglesOffset, done);
  }

  @Override
  public void siluGate(
      MemorySegment gate,
      long gateOffset,
      MemorySegment up,
      long upOffset,
      int n,
      MemorySegment target,
      long targetOffset) {
    int done = GateVectors.silu(gate, gateOffset, up, upOffset, n, target, targetOffset);
    long bytes = 4L * done;
    LAW.siluGate(
        gate, gateOffset + bytes, up, upOffset + bytes, n - done, target, targetOffset + bytes);
  }

  @Override
  public void geluTanhGate(
      MemorySegment gate,
      long gateOffset,
      MemorySegment up,
      long upOffset,
      int n,
      MemorySegment target,
      long targetOffset) {
    int done = GateVectors.geluArguments(gate, gateOffset, n, target, targetOffset);
    TanhVectors.tanh(target, targetOffset, done);
    GateVectors.gelu(gate, gateOffset, up, upOffset, done, target, targetOffset);
    long bytes = 4L * done;
    LAW.geluTanhGate(
        gate, gateOffset + bytes, up, upOffset + bytes, n - done, target, targetOffset + bytes);
  }
}
