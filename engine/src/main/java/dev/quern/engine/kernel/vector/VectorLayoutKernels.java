package dev.quern.engine.kernel.vector;

import dev.quern.engine.kernel.BlockedLayoutKernels;
import dev.quern.engine.kernel.IndexStrides;
import dev.quern.engine.kernel.LayoutKernels;
import dev.quern.engine.kernel.TileShuffle;
import java.lang.foreign.MemorySegment;

/**
 * Moves of elements by vectors where a {@link TileShuffle} is possible; the rest in plain loops.
 *
 * <p>A block is a tile's rows and some vectors of each: few enough that what is written of a tile
 * is written while it is in the cache, and many enough that rows are read as streams.
 */
final class VectorLayoutKernels implements LayoutKernels {
  private static final int BYTES = Shapes.B.vectorByteSize();
  private static final int BLOCK_VECTORS = 32;

  private final LayoutKernels plain = new BlockedLayoutKernels();

  /** The plan made last: whole models are packed by one or two. */
  private volatile Planned last = new Planned(0, null, null);

  private record Planned(int bits, IndexStrides strides, TileShuffle shuffle) {}

  private TileShuffle shuffle(int bits, IndexStrides strides) {
    Planned planned = last;
    if (planned.bits() != bits || !strides.equals(planned.strides())) {
      planned = new Planned(bits, strides, TileShuffle.of(bits, strides, BYTES));
      last = planned;
    }
    return planned.shuffle();
  }

  /** One call's numbers; {@code rows} is the memory of the matrix. */
  private record Call(
      TileShuffle shuffle, IndexStrides strides, int bits, long rowBytes, long rows, long columns) {
    private static Call of(
        TileShuffle shuffle,
        int bits,
        IndexStrides strides,
        long rowBytes,
        long rows,
        long columns) {
      if (shuffle == null) {
        return null;
      }
      long wholeRows = rows - rows % strides.tileRows();
      long wholeColumns = columns - columns % shuffle.columns();
      return wholeRows == 0 || wholeColumns == 0
          ? null
          : new Call(shuffle, strides, bits, rowBytes, wholeRows, wholeColumns);
    }

    /** What a digit of the vector's number adds to the place in the rows. */
    long in(int digit) {
      return rowBytes << shuffle.rowDigits()[digit];
    }

    private int firstRows() {
      int mask = 0;
      for (int digit : shuffle.rowDigits()) {
        mask |= 1 << digit;
      }
      return mask;
    }

    void run(
        boolean scatter,
        MemorySegment matrix,
        long matrixOffset,
        long firstRow,
        MemorySegment tensor,
        long tensorOffset) {
      int mask = firstRows();
      long blockColumns = (long) BLOCK_VECTORS * shuffle.columns();
      for (long tile = 0; tile < rows; tile += strides.tileRows()) {
        for (long c = 0; c < columns; c += blockColumns) {
          int vectors = (int) (Math.min(blockColumns, columns - c) / shuffle.columns());
          long column = strides.ofColumn(c);
          for (int r = 0; r < strides.tileRows(); r++) {
            if ((r & mask) == 0) {
              long row = tile + r;
              long at = matrixOffset + row * rowBytes + c * bits / 8;
              long position = strides.ofRow(firstRow + row) + column;
              long to = tensorOffset + position * bits / 8;
              if (scatter) {
                TileShuffleVectors.scatter(
                    shuffle,
                    matrix,
                    at,
                    in(0),
                    in(1),
                    in(2),
                    vectors,
                    tensor,
                    to,
                    shuffle.strides()[0],
                    shuffle.strides()[1],
                    shuffle.strides()[2]);
              } else {
                TileShuffleVectors.gather(
                    shuffle,
                    tensor,
                    to,
                    shuffle.strides()[0],
                    shuffle.strides()[1],
                    shuffle.strides()[2],
                    vectors,
                    matrix,
                    at,
                    in(0),
                    in(1),
                    in(2));
              }
            }
          }
        }
      }
    }
  }

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
    Call call = Call.of(shuffle(bits, strides), bits, strides, rowBytes, rows, columns);
    if (call == null) {
      plain.scatter(
          bits,
          source,
          sourceOffset,
          rowBytes,
          firstRow,
          rows,
          columns,
          strides,
          target,
          targetOffset);
      return;
    }
    call.run(true, source, sourceOffset, firstRow, target, targetOffset);
    long done = call.columns();
    long besides = strides.ofColumn(done) * bits / 8;
    plain.scatter(
        bits,
        source,
        sourceOffset + done * bits / 8,
        rowBytes,
        firstRow,
        call.rows(),
        columns - done,
        strides,
        target,
        targetOffset + besides);
    plain.scatter(
        bits,
        source,
        sourceOffset + call.rows() * rowBytes,
        rowBytes,
        firstRow + call.rows(),
        rows - call.rows(),
        columns,
        strides,
        target,
        targetOffset);
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
    Call call = Call.of(shuffle(bits, strides), bits, strides, rowBytes, rows, columns);
    if (call == null) {
      plain.gather(
          bits,
          source,
          sourceOffset,
          strides,
          firstRow,
          rows,
          columns,
          target,
          targetOffset,
          rowBytes);
      return;
    }
    call.run(false, target, targetOffset, firstRow, source, sourceOffset);
    long done = call.columns();
    long besides = strides.ofColumn(done) * bits / 8;
    plain.gather(
        bits,
        source,
        sourceOffset + besides,
        strides,
        firstRow,
        call.rows(),
        columns - done,
        target,
        targetOffset + done * bits / 8,
        rowBytes);
    plain.gather(
        bits,
        source,
        sourceOffset,
        strides,
        firstRow + call.rows(),
        rows - call.rows(),
        columns,
        target,
        targetOffset + call.rows() * rowBytes,
        rowBytes);
  }
}
