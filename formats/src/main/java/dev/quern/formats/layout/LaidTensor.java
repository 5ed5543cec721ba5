package dev.quern.formats.layout;

import dev.quern.engine.numeric.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.function.Function;

/**
 * A logical tensor in a layout: its bits moved, none changed but by the layout's own code map.
 *
 * <p>The checkpoint may hold the matrix in rows, or in a layout of its own, as it does with zero
 * points; and its columns may go in the order of another tensor, as they do with act-order.
 */
final class LaidTensor implements PackedTensor {
  private final String name;
  private final String source;
  private final TensorType type;
  private final Layout layout;
  private final PackedShape shape;
  private final long rowBytes;
  private final Optional<Placement> stored;
  private final boolean ordered;

  private LaidTensor(
      String name,
      String source,
      TensorType type,
      Layout layout,
      PackedShape shape,
      long rowBytes,
      Optional<Placement> stored,
      boolean ordered) {
    this.name = name;
    this.source = source;
    this.type = type;
    this.layout = layout;
    this.shape = shape;
    this.rowBytes = rowBytes;
    this.stored = stored;
    this.ordered = ordered;
  }

  /**
   * A tensor whose rows are the matrix's rows.
   *
   * @param source logical name
   * @param from its type; the last dimension is a row, all others together count rows
   */
  static LaidTensor ofRows(
      String name, String source, TensorType from, Layout layout, PackedShape shape) {
    long rowBytes = from.last() * from.dtype().bits() / 8;
    return new LaidTensor(
        name,
        source,
        declared(shape, layout, from.dtype()),
        layout,
        shape,
        rowBytes,
        Optional.empty(),
        false);
  }

  /** A tensor whose matrix the checkpoint holds in a layout. */
  static LaidTensor ofStored(
      String name, String source, Placement stored, Layout layout, PackedShape shape) {
    long rowBytes = Math.ceilDiv(shape.columns() * layout.bits(), 8);
    TensorType type = new TensorType(shape.dtype(), shape.dimensions());
    return new LaidTensor(name, source, type, layout, shape, rowBytes, Optional.of(stored), false);
  }

  /** The same with columns in act-order: see {@link ActOrder}. */
  LaidTensor inActOrder() {
    return new LaidTensor(name, source, type, layout, shape, rowBytes, stored, true);
  }

  /** Layouts of 16-bit elements serve every 16-bit type: the tensor keeps the source's. */
  private static TensorType declared(PackedShape shape, Layout layout, DType from) {
    boolean same = from.bits() == layout.bits() && shape.dtype().bits() == layout.bits();
    return new TensorType(same ? from : shape.dtype(), shape.dimensions());
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public TensorType type() {
    return type;
  }

  @Override
  public Optional<Placement> placement() {
    return Optional.of(new Placement(layout, shape));
  }

  @Override
  public Optional<String> conversion() {
    return ordered ? Optional.of("columns-by-" + ActOrder.ORDER) : Optional.empty();
  }

  @Override
  public Optional<String> source() {
    return Optional.of(source);
  }

  @Override
  public boolean restores() {
    return true;
  }

  @Override
  public void pack(Function<String, MemorySegment> logical, MemorySegment target) {
    MemorySegment rows = logical.apply(source);
    if (stored.isEmpty() && !ordered) {
      layout.pack(shape, rows, rowBytes, target);
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment copy = arena.allocate(rowBytes * shape.rows(), 64);
      if (stored.isPresent()) {
        stored.get().layout().unpack(stored.get().shape(), rows, copy, rowBytes);
      } else {
        int[] order = ActOrder.order(logical.apply(ActOrder.GROUPS));
        ActOrder.permute(layout.bits(), rows, rowBytes, shape.rows(), order, copy);
      }
      layout.pack(shape, copy, rowBytes, target);
    }
  }

  @Override
  public void unpack(Function<String, MemorySegment> packed, MemorySegment target) {
    MemorySegment tensor = packed.apply(name);
    if (stored.isEmpty() && !ordered) {
      layout.unpack(shape, tensor, target, rowBytes);
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment copy = arena.allocate(rowBytes * shape.rows(), 64);
      layout.unpack(shape, tensor, copy, rowBytes);
      if (stored.isPresent()) {
        stored.get().layout().pack(stored.get().shape(), copy, rowBytes, target);
      } else {
        int[] order = ActOrder.read(packed.apply(ActOrder.ORDER));
        int[] back = ActOrder.inverse(order, shape.columns());
        ActOrder.permute(layout.bits(), copy, rowBytes, shape.rows(), back, target);
      }
    }
  }
}
