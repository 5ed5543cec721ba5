package dev.quern.formats.layout;

import dev.quern.engine.kernel.IndexStrides;
import dev.quern.engine.kernel.Kernels;
import java.lang.foreign.MemorySegment;

/**
 * A layout in which each binary digit of the row's and of the column's number has a stride of its
 * own, so that the engine's kernels can move the elements.
 *
 * <p>A subclass states the map twice: {@link #element} is the formula as the kernel's authors or
 * the specification write it, {@link #strides} the same by digits. Tests hold them together.
 */
public abstract class StridedLayout implements Layout {
  private final String id;
  private final int bits;
  private final int tileRows;
  private final int tileColumns;
  private final boolean recodes;

  /**
   * @param id name and version
   * @param bits of an element: 1, 2, 4, 8, 16, 32 or 64
   * @param tileRows what the padded rows are a multiple of
   * @param tileColumns what the padded columns are a multiple of
   */
  protected StridedLayout(String id, int bits, int tileRows, int tileColumns) {
    this(id, bits, tileRows, tileColumns, false);
  }

  /**
   * As the other constructor.
   *
   * @param bits at most 8 when the layout has codes of its own
   * @param recodes whether {@link #encode} and {@link #decode} are overridden
   */
  protected StridedLayout(String id, int bits, int tileRows, int tileColumns, boolean recodes) {
    this.id = id;
    this.bits = bits;
    this.tileRows = tileRows;
    this.tileColumns = tileColumns;
    this.recodes = recodes;
  }

  @Override
  public final String id() {
    return id;
  }

  @Override
  public final int bits() {
    return bits;
  }

  @Override
  public final int tileRows() {
    return tileRows;
  }

  @Override
  public final int tileColumns() {
    return tileColumns;
  }

  /**
   * The law: position of an element in the tensor, counted in elements of {@link #bits()} bits from
   * the tensor's first byte, lowest bits of a byte first.
   */
  protected abstract long element(PackedShape shape, long row, long column);

  /** The same map, by digits. */
  public abstract IndexStrides strides(PackedShape shape);

  @Override
  public final long bit(PackedShape shape, long row, long column, int bit) {
    return element(shape, row, column) * bits + bit;
  }

  @Override
  public final void pack(
      PackedShape shape, MemorySegment source, long rowBytes, MemorySegment target) {
    LayoutLaw.requireRoom(this, shape, source, target, rowBytes);
    MemorySegment tensor = target.asSlice(0, shape.bytes());
    if (shape.padded()) {
      tensor.fill((byte) 0);
    }
    Kernels.best()
        .layouts()
        .scatter(
            bits, source, 0, rowBytes, 0, shape.rows(), shape.columns(), strides(shape), tensor, 0);
    if (recodes) {
      new CodeTable(bits, this::encode).apply(tensor, 0, shape.bytes() * 8);
    }
  }

  @Override
  public final void unpack(
      PackedShape shape, MemorySegment source, MemorySegment target, long rowBytes) {
    LayoutLaw.requireRoom(this, shape, target, source, rowBytes);
    long rowBits = shape.columns() * bits;
    for (long row = 0; row < shape.rows() && rowBits < rowBytes * 8; row++) {
      target.asSlice(row * rowBytes + rowBits / 8, rowBytes - rowBits / 8).fill((byte) 0);
    }
    Kernels.best()
        .layouts()
        .gather(
            bits, source, 0, strides(shape), 0, shape.rows(), shape.columns(), target, 0, rowBytes);
    if (recodes) {
      CodeTable table = new CodeTable(bits, this::decode);
      for (long row = 0; row < shape.rows(); row++) {
        table.apply(target, row * rowBytes, rowBits);
      }
    }
  }
}
