package dev.quern.formats.layout;

import dev.quern.engine.numeric.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.function.Function;

/** Tensors whose elements are computed one by one and then put into a layout. */
final class Computed {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Computed() {}

  /** The elements of a matrix, as bits of the layout's width. */
  interface Elements {
    int bits(long row, long column);
  }

  /**
   * A tensor in {@code layout}.
   *
   * @param dtype that it is declared as
   * @param what a word for how it is computed
   * @param source the logical tensor that it comes from
   * @param elements gives the matrix, once for each module
   */
  static MadeTensor tensor(
      String name,
      DType dtype,
      String what,
      String source,
      Layout layout,
      PackedShape shape,
      Function<Function<String, MemorySegment>, Elements> elements) {
    return MadeTensor.of(
            name,
            new TensorType(dtype, shape.dimensions()),
            what,
            source,
            (logical, target) -> {
              long rowBytes = shape.columns() * layout.bits() / Byte.SIZE;
              try (Arena arena = Arena.ofConfined()) {
                MemorySegment rows = arena.allocate(shape.rows() * rowBytes, 64);
                fill(rows, layout.bits(), shape, elements.apply(logical));
                layout.pack(shape, rows, rowBytes, target);
              }
            })
        .in(layout, shape);
  }

  private static void fill(MemorySegment rows, int bits, PackedShape shape, Elements elements) {
    long at = 0;
    for (long row = 0; row < shape.rows(); row++) {
      for (long column = 0; column < shape.columns(); column++) {
        int value = elements.bits(row, column);
        switch (bits) {
          case 8 -> rows.set(ValueLayout.JAVA_BYTE, at, (byte) value);
          case 16 -> rows.set(SHORT, at, (short) value);
          case 32 -> rows.set(INT, at, value);
          default -> throw new IllegalArgumentException(bits + " bits are computed nowhere");
        }
        at += bits / Byte.SIZE;
      }
    }
  }
}
