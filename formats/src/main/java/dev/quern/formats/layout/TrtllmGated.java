package dev.quern.formats.layout;

import dev.quern.engine.numeric.DType;
import java.lang.foreign.MemorySegment;

/**
 * Rows of a gated projection in turn, one of the upper half and one of the lower, and then shuffled
 * as {@link TrtllmLayouts#SHUFFLE_128} does. Of N rows, the first {@code ceil(N/2)} go to the even
 * places and the others to the odd ones; rows of padding stay behind them.
 */
final class TrtllmGated implements Layout {
  private final String id;
  private final int tileRows;

  TrtllmGated(String id, int tileRows) {
    this.id = id;
    this.tileRows = tileRows;
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public int bits() {
    return Byte.SIZE;
  }

  @Override
  public int tileRows() {
    return tileRows;
  }

  @Override
  public int tileColumns() {
    return 1;
  }

  @Override
  public PackedShape shape(long rows, long columns, long n, long k) {
    return PackedShape.of(this, rows, columns, n, k, DType.U8, n, k);
  }

  @Override
  public long bit(PackedShape shape, long row, long column, int bit) {
    return (target(shape, row) * shape.paddedColumns() + column) * Byte.SIZE + bit;
  }

  private static long target(PackedShape shape, long row) {
    long half = Math.ceilDiv(shape.rows(), 2);
    long inTurn = row >= shape.rows() ? row : row < half ? 2 * row : 2 * (row - half) + 1;
    return TrtllmLayouts.shuffled128(inTurn);
  }

  @Override
  public void pack(PackedShape shape, MemorySegment source, long rowBytes, MemorySegment target) {
    LayoutLaw.requireRoom(this, shape, source, target, rowBytes);
    if (shape.padded()) {
      target.asSlice(0, shape.bytes()).fill((byte) 0);
    }
    for (long row = 0; row < shape.rows(); row++) {
      long to = target(shape, row) * shape.paddedColumns();
      MemorySegment.copy(source, row * rowBytes, target, to, shape.columns());
    }
  }

  @Override
  public void unpack(PackedShape shape, MemorySegment source, MemorySegment target, long rowBytes) {
    LayoutLaw.requireRoom(this, shape, target, source, rowBytes);
    for (long row = 0; row < shape.rows(); row++) {
      long from = target(shape, row) * shape.paddedColumns();
      MemorySegment.copy(source, from, target, row * rowBytes, shape.columns());
      long gap = rowBytes - shape.columns();
      target.asSlice(row * rowBytes + shape.columns(), gap).fill((byte) 0);
    }
  }
}
