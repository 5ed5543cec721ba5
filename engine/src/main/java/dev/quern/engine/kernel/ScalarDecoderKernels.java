package dev.quern.engine.kernel;

import dev.quern.engine.annotation.SuppressForbidden;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** The definition of {@link DecoderKernels}; the tails of its twins are its methods, too. */
public final class ScalarDecoderKernels implements DecoderKernels {
  /** Lanes of a sum. */
  public static final int LANES = 16;

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** The definition. */
  public ScalarDecoderKernels() {}

  /** The lanes of a sum, added in halves. */
  public static float sum(float[] lanes) {
    for (int half = LANES / 2; half > 0; half /= 2) {
      for (int i = 0; i < half; i++) {
        lanes[i] += lanes[i + half];
      }
    }
    return lanes[0];
  }

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
    float[] lanes = LaneBuffer.cleared();
    addSquares(x, xOffset, 0, n, lanes);
    float r = inverseRoot(sum(lanes), n, epsilon);
    normalise(x, xOffset, r, weight, weightOffset, target, targetOffset, 0, n);
  }

  /** Adds the squares of elements {@code begin} to {@code end - 1} to their lanes. */
  @SuppressForbidden(reason = "the law of sums of squares is a chain of fused multiply-adds")
  public static void addSquares(MemorySegment x, long offset, int begin, int end, float[] lanes) {
    for (int i = begin; i < end; i++) {
      float value = x.get(FLOAT, offset + 4L * i);
      lanes[i % LANES] = Math.fma(value, value, lanes[i % LANES]);
    }
  }

  /** {@code 1 / sqrt(sum / n + epsilon)}. */
  public static float inverseRoot(float sum, int n, float epsilon) {
    return 1 / (float) Math.sqrt(sum / n + epsilon);
  }

  /** The second half of RMSNorm, for elements {@code begin} to {@code end - 1}. */
  public static void normalise(
      MemorySegment x,
      long xOffset,
      float r,
      MemorySegment weight,
      long weightOffset,
      MemorySegment target,
      long targetOffset,
      int begin,
      int end) {
    for (int i = begin; i < end; i++) {
      float value = x.get(FLOAT, xOffset + 4L * i) * r * weight.get(FLOAT, weightOffset + 4L * i);
      target.set(FLOAT, targetOffset + 4L * i, value);
    }
  }

  @Override
  public float exponentials(MemorySegment x, long offset, int n) {
    float max = max(x, offset, 0, n, Float.NEGATIVE_INFINITY);
    float[] lanes = LaneBuffer.cleared();
    exponentials(x, offset, 0, n, max, lanes);
    return sum(lanes);
  }

  /** The largest of {@code max} and elements {@code begin} to {@code end - 1}; NaN if one is. */
  public static float max(MemorySegment x, long offset, int begin, int end, float max) {
    float result = max;
    for (int i = begin; i < end; i++) {
      result = Math.max(result, x.get(FLOAT, offset + 4L * i));
    }
    return result;
  }

  /** Exponentials of elements {@code begin} to {@code end - 1}, added to their lanes. */
  public static void exponentials(
      MemorySegment x, long offset, int begin, int end, float max, float[] lanes) {
    for (int i = begin; i < end; i++) {
      float value = DecoderMath.exp(x.get(FLOAT, offset + 4L * i) - max);
      x.set(FLOAT, offset + 4L * i, value);
      lanes[i % LANES] += value;
    }
  }

  @Override
  public void softCap(MemorySegment x, long offset, int n, float cap) {
    for (int i = 0; i < n; i++) {
      float value = x.get(FLOAT, offset + 4L * i);
      x.set(FLOAT, offset + 4L * i, cap * DecoderMath.tanh(value / cap));
    }
  }

  @Override
  public void scale(MemorySegment x, long offset, int n, float factor) {
    for (int i = 0; i < n; i++) {
      x.set(FLOAT, offset + 4L * i, x.get(FLOAT, offset + 4L * i) * factor);
    }
  }

  @Override
  public void add(
      MemorySegment x, long xOffset, int n, float factor, MemorySegment target, long targetOffset) {
    for (int i = 0; i < n; i++) {
      long at = targetOffset + 4L * i;
      target.set(FLOAT, at, target.get(FLOAT, at) + x.get(FLOAT, xOffset + 4L * i) * factor);
    }
  }

  @Override
  public void rotate(MemorySegment x, long offset, int n, MemorySegment angles, long anglesOffset) {
    rotate(x, offset, n, angles, anglesOffset, 0);
  }

  /** The pairs from {@code begin} on. */
  public static void rotate(
      MemorySegment x, long offset, int n, MemorySegment angles, long anglesOffset, int begin) {
    for (int i = begin; i < n; i++) {
      float cos = angles.get(FLOAT, anglesOffset + 4L * i);
      float sin = angles.get(FLOAT, anglesOffset + 4L * (n + i));
      float a = x.get(FLOAT, offset + 4L * i);
      float b = x.get(FLOAT, offset + 4L * (n + i));
      x.set(FLOAT, offset + 4L * i, a * cos - b * sin);
      x.set(FLOAT, offset + 4L * (n + i), b * cos + a * sin);
    }
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
    for (int i = 0; i < n; i++) {
      float g = gate.get(FLOAT, gateOffset + 4L * i);
      float u = up.get(FLOAT, upOffset + 4L * i);
      target.set(FLOAT, targetOffset + 4L * i, DecoderMath.silu(g) * u);
    }
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
    for (int i = 0; i < n; i++) {
      float g = gate.get(FLOAT, gateOffset + 4L * i);
      float u = up.get(FLOAT, upOffset + 4L * i);
      target.set(FLOAT, targetOffset + 4L * i, DecoderMath.geluTanh(g) * u);
    }
  }
}
