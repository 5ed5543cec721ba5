package dev.quern.engine.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp4E2M1;
import java.lang.foreign.MemorySegment;

/**
 * The definition of {@link Fp4Kernels}: one obvious loop over the laws of {@code engine.numeric}.
 */
public final class ScalarFp4Kernels implements Fp4Kernels {
  private static final int SIGN = 1 << 31;

  private final ScalarKernels runs = new ScalarKernels();

  /** The kernels have no state. */
  public ScalarFp4Kernels() {}

  @Override
  public void groupAbsMaxBits(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      int groupSize,
      int[] maxBits) {
    for (int g = 0; g < n / groupSize; g++) {
      long offset = sourceOffset + (long) g * groupSize * type.bytes();
      maxBits[g] = runs.absMaxBits(type, source, offset, groupSize);
    }
  }

  @Override
  public void quantizeE2M1(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      int groupSize,
      float[] scales,
      boolean roundQuotient,
      MemorySegment target,
      long targetOffset) {
    quantizeE2M1(
        type, source, sourceOffset, 0, n, groupSize, scales, roundQuotient, target, targetOffset);
  }

  /** The elements from {@code begin} to {@code end} of a row, both even. */
  public void quantizeE2M1(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int begin,
      int end,
      int groupSize,
      float[] scales,
      boolean roundQuotient,
      MemorySegment target,
      long targetOffset) {
    for (int i = begin; i < end; i += 2) {
      float scale = scales[i / groupSize];
      long offset = sourceOffset + (long) i * type.bytes();
      int even = quantizeE2M1(type, type.load(source, offset), scale, roundQuotient);
      int odd = quantizeE2M1(type, type.load(source, offset + type.bytes()), scale, roundQuotient);
      target.set(JAVA_BYTE, targetOffset + i / 2, (byte) (even | odd << 4));
    }
  }

  /** One element of the bulk operation of the same name. */
  public static int quantizeE2M1(FloatType type, float x, float scale, boolean roundQuotient) {
    float quotient = roundQuotient ? type.round(x / scale) : x / scale;
    // Which sign a NaN has after arithmetic differs between CPUs.
    int magnitude = Float.floatToRawIntBits(quotient) & ~SIGN;
    int sign = Float.floatToRawIntBits(x) & SIGN;
    return Fp4E2M1.encode(Float.intBitsToFloat(magnitude | sign));
  }

  @Override
  public void dequantizeE2M1(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      int groupSize,
      float[] scales,
      MemorySegment target,
      long targetOffset) {
    dequantizeE2M1(type, source, sourceOffset, 0, n, groupSize, scales, target, targetOffset);
  }

  /** The elements from {@code begin} to {@code end} of a row. */
  public void dequantizeE2M1(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int begin,
      int end,
      int groupSize,
      float[] scales,
      MemorySegment target,
      long targetOffset) {
    for (int i = begin; i < end; i++) {
      int pair = source.get(JAVA_BYTE, sourceOffset + i / 2);
      float value = Fp4E2M1.decode(i % 2 == 0 ? pair : pair >> 4) * scales[i / groupSize];
      type.store(target, targetOffset + (long) i * type.bytes(), value);
    }
  }

  @Override
  public void quantizeE4M3(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      int groupSize,
      float[] scales,
      MemorySegment target,
      long targetOffset) {
    for (int i = 0; i < n; i += groupSize) {
      long offset = sourceOffset + (long) i * type.bytes();
      float scale = scales[i / groupSize];
      runs.quantizeE4M3(type, source, offset, groupSize, scale, target, targetOffset + i);
    }
  }

  @Override
  public void dequantizeE4M3(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      int groupSize,
      float[] scales,
      MemorySegment target,
      long targetOffset) {
    for (int i = 0; i < n; i += groupSize) {
      long offset = targetOffset + (long) i * type.bytes();
      float scale = scales[i / groupSize];
      runs.dequantizeE4M3(type, source, sourceOffset + i, groupSize, scale, target, offset);
    }
  }

  @Override
  public void searchNvfp4(
      MemorySegment values,
      long offset,
      int n,
      float unit,
      float[] scales,
      float[] reciprocals,
      int[] codes,
      float[] errors,
      float[] lanes) {
    for (int g = 0; g < n / 16; g++) {
      for (int lane = 0; lane < 16; lane++) {
        float scale = scales[codes[g] + lane];
        float reciprocal = reciprocals[codes[g] + lane];
        float sum = 0;
        for (int i = 16 * g; i < 16 * g + 16; i++) {
          float magnitude = Math.abs(FloatType.F32.load(values, offset + 4L * i)) * unit;
          float value = Fp4E2M1.decode(Fp4E2M1.encode(magnitude * reciprocal));
          float error = magnitude - value * scale;
          sum += error * error;
        }
        lanes[lane] = sum;
      }
      pickBest(g, codes, errors, lanes);
    }
  }

  /** Puts the first of the least sums in its places. */
  public static void pickBest(int group, int[] codes, float[] errors, float[] lanes) {
    int best = 0;
    for (int lane = 1; lane < 16; lane++) {
      best = lanes[lane] < lanes[best] ? lane : best;
    }
    codes[group] += best;
    errors[group] = lanes[best];
  }
}
