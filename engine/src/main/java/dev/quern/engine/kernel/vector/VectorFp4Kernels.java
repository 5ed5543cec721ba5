package dev.quern.engine.kernel.vector;

import dev.quern.engine.kernel.Fp4Kernels;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.ScalarFp4Kernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;

/** Sends rows of groups of 16 and 32 to their vector loops, and others to the definition. */
final class VectorFp4Kernels implements Fp4Kernels {
  private final Kernels runs;
  private final ScalarFp4Kernels law = new ScalarFp4Kernels();

  VectorFp4Kernels(Kernels runs) {
    this.runs = runs;
  }

  @Override
  public void groupAbsMaxBits(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      int groupSize,
      int[] maxBits) {
    int groups = n / groupSize;
    if (groupSize != 16 && groupSize != 32) {
      law.groupAbsMaxBits(type, source, sourceOffset, n, groupSize, maxBits);
    } else if (type == FloatType.F32) {
      GroupMaxVectors.ints(source, sourceOffset, groups, groupSize, maxBits);
    } else if (groupSize == 16) {
      GroupMaxVectors.shorts16(source, sourceOffset, groups, maxBits);
    } else {
      GroupMaxVectors.shorts32(source, sourceOffset, groups, maxBits);
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
    int whole = vectorElements(n, groupSize);
    if (roundQuotient && !powersOfTwo(scales, n / groupSize)) {
      whole = 0;
    }
    int zero = roundQuotient ? zero(type) : 0;
    switch (type) {
      case BF16 ->
          E2M1QuantizeVectors.bf16(
              source, sourceOffset, whole, groupSize, scales, zero, target, targetOffset);
      case F16 ->
          E2M1QuantizeVectors.f16(
              source, sourceOffset, whole, groupSize, scales, zero, target, targetOffset);
      case F32 ->
          E2M1QuantizeVectors.f32(
              source, sourceOffset, whole, groupSize, scales, zero, target, targetOffset);
    }
    law.quantizeE2M1(
        type,
        source,
        sourceOffset,
        whole,
        n,
        groupSize,
        scales,
        roundQuotient,
        target,
        targetOffset);
  }

  /** Bits of the largest quotient that rounds to zero: half of the type's smallest number. */
  private static int zero(FloatType type) {
    return switch (type) {
      case BF16 -> Float.floatToRawIntBits(0x1p-134f);
      case F16 -> Float.floatToRawIntBits(0x1p-25f);
      case F32 -> 0;
    };
  }

  private static boolean powersOfTwo(float[] scales, int groups) {
    int mantissas = 0;
    float smallest = Float.MAX_VALUE;
    for (int g = 0; g < groups; g++) {
      mantissas |= Float.floatToRawIntBits(scales[g]);
      smallest = Math.min(smallest, scales[g]);
    }
    return (mantissas & 0x7F_FFFF) == 0 && smallest >= Float.MIN_NORMAL;
  }

  /** The elements that fill vectors: those of all groups, or of all but one of 16. */
  private static int vectorElements(int n, int groupSize) {
    return groupSize == 16 || groupSize == 32 ? n - n % Shapes.S.length() : 0;
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
    int whole = vectorElements(n, groupSize);
    switch (type) {
      case BF16 ->
          E2M1DequantizeVectors.bf16(
              source, sourceOffset, whole, groupSize, scales, target, targetOffset);
      case F16 ->
          E2M1DequantizeVectors.f16(
              source, sourceOffset, whole, groupSize, scales, target, targetOffset);
      case F32 ->
          E2M1DequantizeVectors.f32(
              source, sourceOffset, whole, groupSize, scales, target, targetOffset);
    }
    law.dequantizeE2M1(
        type, source, sourceOffset, whole, n, groupSize, scales, target, targetOffset);
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
  public int quantizeMxfp4(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      MemorySegment target,
      long targetOffset,
      MemorySegment scaleCodes,
      long scaleOffset,
      int[] maxBits,
      float[] scales) {
    boolean done =
        type == FloatType.BF16
            && MxBf16.e2m1(
                source, sourceOffset, n, target, targetOffset, scaleCodes, scaleOffset, maxBits);
    return done
        ? -1
        : Fp4Kernels.super.quantizeMxfp4(
            type,
            source,
            sourceOffset,
            n,
            target,
            targetOffset,
            scaleCodes,
            scaleOffset,
            maxBits,
            scales);
  }

  @Override
  public int quantizeMxfp8(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      MemorySegment target,
      long targetOffset,
      MemorySegment scaleCodes,
      long scaleOffset,
      int[] maxBits,
      float[] scales) {
    boolean done =
        type == FloatType.BF16
            && MxBf16.e4m3(
                source, sourceOffset, n, target, targetOffset, scaleCodes, scaleOffset, maxBits);
    return done
        ? -1
        : Fp4Kernels.super.quantizeMxfp8(
            type,
            source,
            sourceOffset,
            n,
            target,
            targetOffset,
            scaleCodes,
            scaleOffset,
            maxBits,
            scales);
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
      Nvfp4SearchVectors.sums(values, offset + 64L * g, unit, scales, reciprocals, codes[g], lanes);
      ScalarFp4Kernels.pickBest(g, codes, errors, lanes);
    }
  }
}
