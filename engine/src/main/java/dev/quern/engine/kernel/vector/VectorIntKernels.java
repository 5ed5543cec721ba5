package dev.quern.engine.kernel.vector;

import dev.quern.engine.kernel.IntGroups;
import dev.quern.engine.kernel.IntKernels;
import dev.quern.engine.kernel.PackedBits;
import dev.quern.engine.kernel.ThreadBuffer;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;

/**
 * The SIMD provider for integers: sends each operation, type and width to the loop that was written
 * for it.
 */
final class VectorIntKernels implements IntKernels {
  private static final ThreadBuffer CODES = new ThreadBuffer();

  @Override
  public void absMax(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      int groupSize,
      int[] maxBits) {
    if (type == FloatType.F32) {
      IntRangeVectors.absMaxInts(source, sourceOffset, n, groupSize, maxBits);
    } else {
      IntRangeVectors.absMaxShorts(source, sourceOffset, n, groupSize, maxBits);
    }
  }

  @Override
  public void range(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      int groupSize,
      float[] min,
      float[] max) {
    if (type == FloatType.F32) {
      IntRangeVectors.rangeInts(source, sourceOffset, n, groupSize, min, max);
    } else {
      IntRangeVectors.rangeShorts(type, source, sourceOffset, n, groupSize, min, max);
    }
  }

  @Override
  public void quantize(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      IntGroups groups,
      MemorySegment target,
      long targetOffset) {
    if (multiplies(type, n, groups)
        && IntQuantizeBf16.bytes(source, sourceOffset, n, groups, 0, 0, target, targetOffset)) {
      return;
    }
    int size = groups.groupSize();
    int group = 0;
    for (int begin = 0; begin < n; begin += size) {
      int length = Math.min(size, n - begin);
      long from = sourceOffset + (long) begin * type.bytes();
      divide(type, source, from, length, groups, group++, target, targetOffset + begin);
    }
  }

  /** Whether the loops that multiply with a reciprocal can do a row. */
  private static boolean multiplies(FloatType type, int n, IntGroups groups) {
    return type == FloatType.BF16
        && IntQuantizeBf16.fits(n, groups.groupSize())
        && IntQuantizeBf16.reciprocalsAreExact(
            groups.scales(), Math.ceilDiv(n, groups.groupSize()));
  }

  private static void divide(
      FloatType type,
      MemorySegment source,
      long from,
      int n,
      IntGroups groups,
      int group,
      MemorySegment target,
      long to) {
    switch (type) {
      case BF16 -> IntQuantizeVectors.bf16(source, from, n, groups, group, target, to);
      case F16 -> IntQuantizeVectors.f16(source, from, n, groups, group, target, to);
      case F32 -> IntQuantizeVectors.f32(source, from, n, groups, group, target, to);
    }
  }

  @Override
  public void quantizePacked(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      IntGroups groups,
      MemorySegment target,
      long targetOffset) {
    if (groups.bits() == 4
        && multiplies(type, n, groups)
        && IntQuantizeBf16.nibbles(source, sourceOffset, n, groups, target, targetOffset)) {
      return;
    }
    MemorySegment codes = CODES.atLeast(n);
    quantize(type, source, sourceOffset, n, groups, codes, 0);
    pack(codes, 0, n, groups.bits(), target, targetOffset);
  }

  @Override
  public void dequantize(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      IntGroups groups,
      MemorySegment target,
      long targetOffset) {
    int size = groups.groupSize();
    int group = 0;
    for (int begin = 0; begin < n; begin += size) {
      int length = Math.min(size, n - begin);
      long from = sourceOffset + begin;
      long to = targetOffset + (long) begin * type.bytes();
      switch (type) {
        case BF16 -> IntDequantizeVectors.bf16(source, from, length, groups, group, target, to);
        case F16 -> IntDequantizeVectors.f16(source, from, length, groups, group, target, to);
        case F32 -> IntDequantizeVectors.f32(source, from, length, groups, group, target, to);
      }
      group++;
    }
  }

  @Override
  public void pack(
      MemorySegment source,
      long sourceOffset,
      int n,
      int bits,
      MemorySegment target,
      long targetOffset) {
    if (bits == 4) {
      IntPackVectors.nibbles(source, sourceOffset, n, target, targetOffset);
    } else {
      PackedBits.pack(source, sourceOffset, n, bits, target, targetOffset);
    }
  }

  @Override
  public void unpack(
      MemorySegment source,
      long sourceOffset,
      int n,
      int bits,
      MemorySegment target,
      long targetOffset) {
    PackedBits.unpack(source, sourceOffset, n, bits, target, targetOffset);
  }
}
