package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import dev.quern.engine.kernel.ScalarMatrixKernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Packs whole panels. Where lanes are neighbours, vectors are copied: what the last one of a row
 * holds too much, the next row overwrites. Where the depth is contiguous, some lanes at a time go
 * element by element, at absolute offsets: a slice that the compiler cannot prove local is an
 * object on the heap. What is left, such as the panel at an edge, is packed by the law.
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
    float sign = negate ? -1 : 1;
    int done = 0;
    if (lanes == width && depth > 0) {
      if (laneStride == type.bytes() && depthStride > 0) {
        done = wholeVectors(type, source, offset, depthStride, width, depth);
        rows(type, source, offset, depthStride, width, done, sign, target, targetOffset);
      } else if (depthStride == type.bytes()) {
        done = depth;
        columns(type, source, offset, laneStride, width, depth, sign, target, targetOffset);
      }
    }
    LAW.pack(
        type,
        source,
        offset + done * depthStride,
        laneStride,
        depthStride,
        lanes,
        width,
        depth - done,
        negate,
        target,
        targetOffset + 4L * width * done);
  }

  /**
   * How many rows may be packed with vectors, none of which reads behind the source's end or writes
   * behind the panel's.
   */
  private static int wholeVectors(
      FloatType type, MemorySegment source, long offset, long depthStride, int width, int depth) {
    int covered = Math.ceilDiv(width, LANES) * LANES;
    int overhang = Math.ceilDiv(covered - width, width);
    long room = source.byteSize() - offset - (long) covered * type.bytes();
    long readable = room < 0 ? 0 : room / depthStride + 1;
    return (int) Math.min(readable, Math.max(0, depth - overhang));
  }

  private static void rows(
      FloatType type,
      MemorySegment source,
      long offset,
      long depthStride,
      int width,
      int depth,
      float sign,
      MemorySegment target,
      long targetOffset) {
    switch (type) {
      case F32 -> rowsF32(source, offset, depthStride, width, depth, sign, target, targetOffset);
      case BF16 -> rowsBf16(source, offset, depthStride, width, depth, sign, target, targetOffset);
      case F16 -> rowsF16(source, offset, depthStride, width, depth, sign, target, targetOffset);
    }
  }

  private static void columns(
      FloatType type,
      MemorySegment source,
      long offset,
      long laneStride,
      int width,
      int depth,
      float sign,
      MemorySegment target,
      long targetOffset) {
    int lane = 0;
    if (type == FloatType.F32) {
      for (; lane + 4 <= width; lane += 4) {
        long from = offset + lane * laneStride;
        fourF32(source, from, laneStride, width, depth, sign, target, targetOffset + 4L * lane);
      }
    }
    for (; lane < width; lane += 2) {
      int first = Math.min(lane, width - 2); // of an odd width, one lane is packed twice
      long from = offset + first * laneStride;
      long to = targetOffset + 4L * first;
      switch (type) {
        case F32 -> twoF32(source, from, laneStride, width, depth, sign, target, to);
        case BF16 -> twoBf16(source, from, laneStride, width, depth, sign, target, to);
        case F16 -> twoF16(source, from, laneStride, width, depth, sign, target, to);
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

  private static void fourF32(
      MemorySegment source,
      long offset,
      long laneStride,
      int width,
      int depth,
      float sign,
      MemorySegment target,
      long targetOffset) {
    for (int k = 0; k < depth; k++) {
      long from = offset + 4L * k;
      long to = targetOffset + 4L * width * k;
      target.set(FLOAT, to, source.get(FLOAT, from) * sign);
      target.set(FLOAT, to + 4, source.get(FLOAT, from + laneStride) * sign);
      target.set(FLOAT, to + 8, source.get(FLOAT, from + 2 * laneStride) * sign);
      target.set(FLOAT, to + 12, source.get(FLOAT, from + 3 * laneStride) * sign);
    }
  }

  private static void twoF32(
      MemorySegment source,
      long offset,
      long laneStride,
      int width,
      int depth,
      float sign,
      MemorySegment target,
      long targetOffset) {
    for (int k = 0; k < depth; k++) {
      long from = offset + 4L * k;
      long to = targetOffset + 4L * width * k;
      target.set(FLOAT, to, source.get(FLOAT, from) * sign);
      target.set(FLOAT, to + 4, source.get(FLOAT, from + laneStride) * sign);
    }
  }

  private static void twoBf16(
      MemorySegment source,
      long offset,
      long laneStride,
      int width,
      int depth,
      float sign,
      MemorySegment target,
      long targetOffset) {
    for (int k = 0; k < depth; k++) {
      long from = offset + 2L * k;
      long to = targetOffset + 4L * width * k;
      target.set(FLOAT, to, Float.intBitsToFloat(source.get(SHORT, from) << 16) * sign);
      target.set(
          FLOAT, to + 4, Float.intBitsToFloat(source.get(SHORT, from + laneStride) << 16) * sign);
    }
  }

  private static void twoF16(
      MemorySegment source,
      long offset,
      long laneStride,
      int width,
      int depth,
      float sign,
      MemorySegment target,
      long targetOffset) {
    for (int k = 0; k < depth; k++) {
      long from = offset + 2L * k;
      long to = targetOffset + 4L * width * k;
      target.set(FLOAT, to, Float.float16ToFloat(source.get(SHORT, from)) * sign);
      target.set(FLOAT, to + 4, Float.float16ToFloat(source.get(SHORT, from + laneStride)) * sign);
    }
  }
}
