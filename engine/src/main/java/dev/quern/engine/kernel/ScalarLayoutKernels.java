package dev.quern.engine.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The definition of moves of elements: one at a time. */
public final class ScalarLayoutKernels implements LayoutKernels {
  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

  /** The kernels have no state. */
  public ScalarLayoutKernels() {}

  @Override
  public void scatter(
      int bits,
      MemorySegment source,
      long sourceOffset,
      long rowBytes,
      long firstRow,
      long rows,
      long columns,
      IndexStrides strides,
      MemorySegment target,
      long targetOffset) {
    for (long r = 0; r < rows; r++) {
      for (long c = 0; c < columns; c++) {
        long position = strides.position(firstRow + r, c);
        move(bits, source, sourceOffset + r * rowBytes, c, target, targetOffset, position);
      }
    }
  }

  @Override
  public void gather(
      int bits,
      MemorySegment source,
      long sourceOffset,
      IndexStrides strides,
      long firstRow,
      long rows,
      long columns,
      MemorySegment target,
      long targetOffset,
      long rowBytes) {
    for (long r = 0; r < rows; r++) {
      for (long c = 0; c < columns; c++) {
        long position = strides.position(firstRow + r, c);
        move(bits, source, sourceOffset, position, target, targetOffset + r * rowBytes, c);
      }
    }
  }

  /** Moves element {@code from} of one run of elements to element {@code to} of another. */
  static void move(
      int bits,
      MemorySegment source,
      long sourceOffset,
      long from,
      MemorySegment target,
      long targetOffset,
      long to) {
    if (bits < 8) {
      int mask = (1 << bits) - 1;
      long sourceBit = from * bits;
      long targetBit = to * bits;
      int code = source.get(BYTE, sourceOffset + sourceBit / 8) >> (sourceBit % 8) & mask;
      int shift = (int) (targetBit % 8);
      int others = target.get(BYTE, targetOffset + targetBit / 8) & ~(mask << shift);
      target.set(BYTE, targetOffset + targetBit / 8, (byte) (others | code << shift));
      return;
    }
    int bytes = bits / 8;
    for (int b = 0; b < bytes; b++) {
      byte value = source.get(BYTE, sourceOffset + from * bytes + b);
      target.set(BYTE, targetOffset + to * bytes + b, value);
    }
  }
}
