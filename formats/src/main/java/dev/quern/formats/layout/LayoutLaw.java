package dev.quern.formats.layout;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Packing as {@link Layout#bit} defines it, a bit at a time: what is right, never what is fast. */
final class LayoutLaw {
  private LayoutLaw() {}

  static void pack(
      Layout layout, PackedShape shape, MemorySegment source, long rowBytes, MemorySegment target) {
    requireRoom(layout, shape, source, target, rowBytes);
    target.asSlice(0, shape.bytes()).fill((byte) 0);
    for (long row = 0; row < shape.paddedRows(); row++) {
      for (long column = 0; column < shape.paddedColumns(); column++) {
        long code = 0;
        if (row < shape.rows() && column < shape.columns()) {
          for (int b = 0; b < layout.bits(); b++) {
            code |= get(source, row * rowBytes * 8 + column * layout.bits() + b) << b;
          }
        }
        long stored = layout.encode(code);
        for (int b = 0; b < layout.bits(); b++) {
          set(target, layout.bit(shape, row, column, b), stored >> b & 1);
        }
      }
    }
  }

  static void unpack(
      Layout layout, PackedShape shape, MemorySegment source, MemorySegment target, long rowBytes) {
    requireRoom(layout, shape, target, source, rowBytes);
    target.asSlice(0, rowBytes * shape.rows()).fill((byte) 0);
    for (long row = 0; row < shape.rows(); row++) {
      for (long column = 0; column < shape.columns(); column++) {
        long stored = 0;
        for (int b = 0; b < layout.bits(); b++) {
          stored |= get(source, layout.bit(shape, row, column, b)) << b;
        }
        long code = layout.decode(stored);
        for (int b = 0; b < layout.bits(); b++) {
          set(target, row * rowBytes * 8 + column * layout.bits() + b, code >> b & 1);
        }
      }
    }
  }

  /** Refuses segments that are too short for the matrix or the tensor. */
  static void requireRoom(
      Layout layout, PackedShape shape, MemorySegment rows, MemorySegment tensor, long rowBytes) {
    long least = Math.ceilDiv(shape.columns() * layout.bits(), 8);
    if (rowBytes < least) {
      throw new IllegalArgumentException(
          layout.id() + ": a row has " + least + " bytes, but rows begin " + rowBytes + " apart");
    }
    requireBytes(layout, "the rows", shape.rows() * rowBytes, rows);
    requireBytes(layout, "the packed tensor", shape.bytes(), tensor);
  }

  private static void requireBytes(Layout layout, String what, long bytes, MemorySegment found) {
    if (found.byteSize() < bytes) {
      throw new IllegalArgumentException(
          layout.id()
              + ": expected "
              + bytes
              + " bytes for "
              + what
              + ", found "
              + found.byteSize());
    }
  }

  private static long get(MemorySegment segment, long bit) {
    return segment.get(ValueLayout.JAVA_BYTE, bit >> 3) >> (bit & 7) & 1;
  }

  private static void set(MemorySegment segment, long bit, long value) {
    int others = segment.get(ValueLayout.JAVA_BYTE, bit >> 3) & ~(1 << (bit & 7));
    segment.set(ValueLayout.JAVA_BYTE, bit >> 3, (byte) (others | value << (bit & 7)));
  }
}
