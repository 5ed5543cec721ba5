package dev.quern.formats.layout;

import dev.quern.engine.kernel.IndexStrides;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * {@code qweight} of AutoGPTQ: the codes of one output, input after input, are a string of bits
 * without gaps, cut into 32-bit words that stand in a column.
 *
 * <pre>
 *   int32 [K'*b/32, N]     bit t = k*b + i of output n is bit t % 32 of word (t/32, n)
 * </pre>
 *
 * <p>With 3 bits, codes 10 and 21 of every 32 straddle two words; a tensor has whole groups of 32.
 * A row of the logical matrix is the same string, so packing moves bytes whatever the width.
 *
 * <p>Source: AutoGPTQ 9f7d3707, {@code QuantLinear.pack}.
 */
final class GptqWeight implements Layout {
  private final String id;
  private final int bits;

  GptqWeight(String id, int bits) {
    this.id = id;
    this.bits = bits;
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public int bits() {
    return bits;
  }

  @Override
  public int tileRows() {
    return 1;
  }

  /** Whole words of whole codes: 32 inputs for 3 bits, else as many as a word has. */
  @Override
  public int tileColumns() {
    return Integer.SIZE / Integer.lowestOneBit(bits);
  }

  @Override
  public PackedShape shape(long rows, long columns, long n, long k) {
    return PackedShape.of(this, rows, columns, n, k, DType.I32, k * bits / Integer.SIZE, n);
  }

  @Override
  public long bit(PackedShape shape, long n, long k, int bit) {
    long t = k * bits + bit;
    return (t / 32 * shape.paddedRows() + n) * 32 + t % 32;
  }

  /** The words by their bytes: a word's four stay together. */
  private static IndexStrides bytes(PackedShape shape) {
    return new IndexStrides(new long[0], 4, new long[] {1, 2}, 4 * shape.paddedRows());
  }

  @Override
  public void pack(PackedShape shape, MemorySegment source, long rowBytes, MemorySegment target) {
    LayoutLaw.requireRoom(this, shape, source, target, rowBytes);
    MemorySegment tensor = target.asSlice(0, shape.bytes());
    if (shape.padded()) {
      tensor.fill((byte) 0);
    }
    long used = Math.ceilDiv(shape.columns() * bits, 8);
    IndexStrides strides = bytes(shape);
    Kernels.best()
        .layouts()
        .scatter(8, source, 0, rowBytes, 0, shape.rows(), used, strides, tensor, 0);
    for (long row = 0; row < shape.rows() && rest(shape) > 0; row++) {
      clearBehind(tensor, strides.position(row, used - 1), rest(shape));
    }
  }

  @Override
  public void unpack(PackedShape shape, MemorySegment source, MemorySegment target, long rowBytes) {
    LayoutLaw.requireRoom(this, shape, target, source, rowBytes);
    long used = Math.ceilDiv(shape.columns() * bits, 8);
    Kernels.best()
        .layouts()
        .gather(8, source, 0, bytes(shape), 0, shape.rows(), used, target, 0, rowBytes);
    for (long row = 0; row < shape.rows(); row++) {
      target.asSlice(row * rowBytes + used, rowBytes - used).fill((byte) 0);
      if (rest(shape) > 0) {
        clearBehind(target, row * rowBytes + used - 1, rest(shape));
      }
    }
  }

  /** Bits of the last byte of a row that hold codes; 0 for all. */
  private int rest(PackedShape shape) {
    return (int) (shape.columns() * bits % 8);
  }

  private static void clearBehind(MemorySegment segment, long at, int kept) {
    int value = segment.get(ValueLayout.JAVA_BYTE, at) & (1 << kept) - 1;
    segment.set(ValueLayout.JAVA_BYTE, at, (byte) value);
  }
}
