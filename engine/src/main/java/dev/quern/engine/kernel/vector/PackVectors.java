package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import dev.quern.engine.kernel.ScalarMatrixKernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Packs panels. Whole panels of neighbouring lanes go vector by vector; all other whole panels two
 * lanes at a time, element by element, which is as fast as memory is when rows lie far apart. Edge
 * panels are left to the law.
 */
final class PackVectors {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int LANES = Shapes.F.length();
  private static final ScalarMatrixKernels LAW = new ScalarMatrixKernels();

  private PackVectors() {}

  static void pack(
      FloatType type,
      MemorySegment source,
      long offset,
      long laneStride,
      long depthStride,
      int lanes,
      int width,
      int depth,
      boolean negate,
      MemorySegment target,
      long targetOffset) {
    if (lanes < width || depth == 0) {
      LAW.pack(
          type,
          source,
          offset,
          laneStride,
          depthStride,
          lanes,
          width,
          depth,
          negate,
          target,
          targetOffset);
      return;
    }
    float sign = negate ? -1 : 1;
    if (laneStride == type.bytes() && width % LANES == 0) {
      switch (type) {
        case F32 -> rowsF32(source, offset, depthStride, width, depth, sign, target, targetOffset);
        case BF16 ->
            rowsBf16(source, offset, depthStride, width, depth, sign, target, targetOffset);
        case F16 -> rowsF16(source, offset, depthStride, width, depth, sign, target, targetOffset);
      }
      return;
    }
    for (int pair = 0; pair < width; pair += 2) {
      int lane = Math.min(pair, width - 2); // of an odd width, one lane is packed twice
      long from = offset + lane * laneStride;
      long to = targetOffset + 4L * lane;
      switch (type) {
        case F32 -> lanesF32(source, from, laneStride, depthStride, width, depth, sign, target, to);
        case BF16 ->
            lanesBf16(source, from, laneStride, depthStride, width, depth, sign, target, to);
        case F16 -> lanesF16(source, from, laneStride, depthStride, width, depth, sign, target, to);
      }
    }
  }

  private static void rowsF32(
      MemorySegment source,
      long offset,
      long depthStride,
      int width,
      int depth,
      float sign,
      MemorySegment target,
      long targetOffset) {
    for (int k = 0; k < depth; k++) {
      long from = offset + k * depthStride;
      long to = targetOffset + 4L * width * k;
      for (int j = 0; j < width; j += LANES) {
        FloatLanes.loadF32(source, from + 4L * j)
            .mul(sign)
            .intoMemorySegment(target, to + 4L * j, LE);
      }
    }
  }

  private static void rowsBf16(
      MemorySegment source,
      long offset,
      long depthStride,
      int width,
      int depth,
      float sign,
      MemorySegment target,
      long targetOffset) {
    for (int k = 0; k < depth; k++) {
      long from = offset + k * depthStride;
      long to = targetOffset + 4L * width * k;
      for (int j = 0; j < width; j += LANES) {
        FloatLanes.loadBf16(source, from + 2L * j)
            .mul(sign)
            .intoMemorySegment(target, to + 4L * j, LE);
      }
    }
  }

  private static void rowsF16(
      MemorySegment source,
      long offset,
      long depthStride,
      int width,
      int depth,
      float sign,
      MemorySegment target,
      long targetOffset) {
    for (int k = 0; k < depth; k++) {
      long from = offset + k * depthStride;
      long to = targetOffset + 4L * width * k;
      for (int j = 0; j < width; j += LANES) {
        FloatLanes.loadF16(source, from + 2L * j)
            .mul(sign)
            .intoMemorySegment(target, to + 4L * j, LE);
      }
    }
  }

  /** Neighbours along the depth, or single lanes: four lanes at a time, element by element. */
  private static void lanesF32(
      MemorySegment source,
      long offset,
      long laneStride,
      long depthStride,
      int width,
      int depth,
      float sign,
      MemorySegment target,
      long targetOffset) {
    MemorySegment to = target.asSlice(targetOffset);
    long span = (depth - 1) * depthStride + 4;
    MemorySegment s0 = source.asSlice(offset, span);
    MemorySegment s1 = source.asSlice(offset + laneStride, span);
    for (int k = 0; k < depth; k++) {
      long from = k * depthStride;
      long at = 4L * width * k;
      to.set(FLOAT, at, s0.get(FLOAT, from) * sign);
      to.set(FLOAT, at + 4, s1.get(FLOAT, from) * sign);
    }
  }

  /** Neighbours along the depth, or single lanes: four lanes at a time, element by element. */
  private static void lanesBf16(
      MemorySegment source,
      long offset,
      long laneStride,
      long depthStride,
      int width,
      int depth,
      float sign,
      MemorySegment target,
      long targetOffset) {
    MemorySegment to = target.asSlice(targetOffset);
    long span = (depth - 1) * depthStride + 2;
    MemorySegment s0 = source.asSlice(offset, span);
    MemorySegment s1 = source.asSlice(offset + laneStride, span);
    for (int k = 0; k < depth; k++) {
      long from = k * depthStride;
      long at = 4L * width * k;
      to.set(FLOAT, at, Float.intBitsToFloat(s0.get(SHORT, from) << 16) * sign);
      to.set(FLOAT, at + 4, Float.intBitsToFloat(s1.get(SHORT, from) << 16) * sign);
    }
  }

  /** Neighbours along the depth, or single lanes: four lanes at a time, element by element. */
  private static void lanesF16(
      MemorySegment source,
      long offset,
      long laneStride,
      long depthStride,
      int width,
      int depth,
      float sign,
      MemorySegment target,
      long targetOffset) {
    MemorySegment to = target.asSlice(targetOffset);
    long span = (depth - 1) * depthStride + 2;
    MemorySegment s0 = source.asSlice(offset, span);
    MemorySegment s1 = source.asSlice(offset + laneStride, span);
    for (int k = 0; k < depth; k++) {
      long from = k * depthStride;
      long at = 4L * width * k;
      to.set(FLOAT, at, Float.float16ToFloat(s0.get(SHORT, from)) * sign);
      to.set(FLOAT, at + 4, Float.float16ToFloat(s1.get(SHORT, from)) * sign);
    }
  }
}
