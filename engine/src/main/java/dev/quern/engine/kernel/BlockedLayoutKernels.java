package dev.quern.engine.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Moves of elements in plain loops: whole bytes, and as many at once as stay together.
 *
 * <p>Lowest digits of the column whose strides are 1, 2, 4, ... make a chunk that lies without gaps
 * on both sides. A block of some rows and of {@value #BLOCK_BYTES} bytes of each is moved chunk by
 * chunk, all rows of a chunk before the next: tiles are filled while they are in the cache. Where
 * the whole block lies close together in the tensor, as scales of blocks do, it is the rows that
 * would push each other out, and each is done before the next. Elements smaller than a byte whose
 * neighbours part are collected into bytes. What no whole tile covers goes one element at a time,
 * as the definition does it.
 */
public final class BlockedLayoutKernels implements LayoutKernels {
  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Rows of a block, when a tile has no more. More of them would share too few cache sets. */
  private static final int BLOCK_ROWS = 16;

  private static final int BLOCK_BYTES = 64;
  private static final long LOW = 0xFFFF_FFFFL;

  private final LayoutKernels law = new ScalarLayoutKernels();

  /** The kernels have no state. */
  public BlockedLayoutKernels() {}

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
    Region whole = Region.wholeTiles(strides, rows, columns);
    Mover mover = new Mover(bits, strides, source, target, true);
    mover.move(sourceOffset, rowBytes, firstRow, whole, targetOffset);
    if (whole.columns < columns) {
      for (long r = 0; r < whole.rows; r++) {
        for (long c = whole.columns; c < columns; c++) {
          long to = strides.position(firstRow + r, c);
          ScalarLayoutKernels.move(
              bits, source, sourceOffset + r * rowBytes, c, target, targetOffset, to);
        }
      }
    }
    law.scatter(
        bits,
        source,
        sourceOffset + whole.rows * rowBytes,
        rowBytes,
        firstRow + whole.rows,
        rows - whole.rows,
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
    Region whole = Region.wholeTiles(strides, rows, columns);
    Mover mover = new Mover(bits, strides, target, source, false);
    mover.move(targetOffset, rowBytes, firstRow, whole, sourceOffset);
    if (whole.columns < columns) {
      for (long r = 0; r < whole.rows; r++) {
        for (long c = whole.columns; c < columns; c++) {
          long from = strides.position(firstRow + r, c);
          ScalarLayoutKernels.move(
              bits, source, sourceOffset, from, target, targetOffset + r * rowBytes, c);
        }
      }
    }
    law.gather(
        bits,
        source,
        sourceOffset,
        strides,
        firstRow + whole.rows,
        rows - whole.rows,
        columns,
        target,
        targetOffset + whole.rows * rowBytes,
        rowBytes);
  }

  /** The part of a matrix that consists of whole tiles. */
  private record Region(long rows, long columns) {
    static Region wholeTiles(IndexStrides strides, long rows, long columns) {
      return new Region(
          rows - rows % strides.tileRows(), columns - columns % strides.tileColumns());
    }
  }

  /** One call's numbers. {@code plain} is the memory of the rows, {@code packed} the other. */
  private static final class Mover {
    private final int bits;
    private final IndexStrides strides;
    private final MemorySegment plain;
    private final MemorySegment packed;
    private final boolean scatter;

    Mover(
        int bits,
        IndexStrides strides,
        MemorySegment plain,
        MemorySegment packed,
        boolean scatter) {
      this.bits = bits;
      this.strides = strides;
      this.plain = plain;
      this.packed = packed;
      this.scatter = scatter;
    }

    void move(long plainOffset, long rowBytes, long firstRow, Region region, long packedOffset) {
      if (region.rows == 0 || region.columns == 0) {
        return;
      }
      int together = columnsTogether();
      long runBits = (long) bits * (wholeRow(together) ? region.columns : 1L << together);
      if (wholeRow(together) && runBits % 8 == 0 && rowsAreBytes()) {
        copyRows(plainOffset, rowBytes, firstRow, region, packedOffset, runBits / 8);
      } else if (((long) bits << together) >= 8 && chunksAreBytes(together)) {
        moveChunks(plainOffset, rowBytes, firstRow, region, packedOffset, together);
      } else {
        moveBits(plainOffset, rowBytes, firstRow, region, packedOffset);
      }
    }

    /** How many of the column's lowest digits stay together. */
    private int columnsTogether() {
      int m = 0;
      while (m < strides.columns().length && strides.columns()[m] == 1L << m) {
        m++;
      }
      return m;
    }

    private boolean wholeRow(int together) {
      return together == strides.columns().length && strides.columnTile() == strides.tileColumns();
    }

    private boolean rowsAreBytes() {
      return allBytes(strides.rows(), 0) && strides.rowTile() * bits % 8 == 0;
    }

    private boolean chunksAreBytes(int together) {
      return rowsAreBytes()
          && allBytes(strides.columns(), together)
          && strides.columnTile() * bits % 8 == 0;
    }

    private boolean allBytes(long[] digits, int from) {
      for (int i = from; i < digits.length; i++) {
        if (digits[i] * bits % 8 != 0) {
          return false;
        }
      }
      return true;
    }

    private void copyRows(
        long plainOffset,
        long rowBytes,
        long firstRow,
        Region region,
        long packedOffset,
        long bytes) {
      for (long r = 0; r < region.rows; r++) {
        long at = plainOffset + r * rowBytes;
        long to = packedOffset + strides.ofRow(firstRow + r) * bits / 8;
        if (scatter) {
          MemorySegment.copy(plain, at, packed, to, bytes);
        } else {
          MemorySegment.copy(packed, to, plain, at, bytes);
        }
      }
    }

    private void moveChunks(
        long plainOffset,
        long rowBytes,
        long firstRow,
        Region region,
        long packedOffset,
        int together) {
      long chunkBytes = ((long) bits << together) / 8;
      long chunks = region.columns >> together;
      int blockRows = Math.max(BLOCK_ROWS, strides.tileRows());
      int blockChunks = (int) Math.max(1, BLOCK_BYTES / chunkBytes);
      long[] rowAt = new long[blockRows];
      long[] columnAt = new long[blockChunks];
      int one = rowOfStride(4);
      int two = rowOfStride(8);
      // A block is whole tiles of rows, so all four are in it.
      boolean quads = chunkBytes == 4 && one >= 0 && two >= 0;
      for (long r0 = 0; r0 < region.rows; r0 += blockRows) {
        int m = (int) Math.min(blockRows, region.rows - r0);
        for (int r = 0; r < m; r++) {
          rowAt[r] = packedOffset + strides.ofRow(firstRow + r0 + r) * bits / 8;
        }
        for (long c0 = 0; c0 < chunks; c0 += blockChunks) {
          long end = Math.min(chunks, c0 + blockChunks);
          int n = (int) (end - c0);
          for (int c = 0; c < n; c++) {
            columnAt[c] = strides.ofColumn(c0 + c << together) * bits / 8;
          }
          if (quads && n % 2 == 0) {
            long at = plainOffset + r0 * rowBytes + c0 * chunkBytes;
            if (scatter) {
              scatterQuads(at, rowBytes, rowAt, m, 1 << one, 1 << two, columnAt, n);
            } else {
              gatherQuads(at, rowBytes, rowAt, m, 1 << one, 1 << two, columnAt, n);
            }
            continue;
          }
          for (long c = c0; c < end; c++) {
            long at = plainOffset + r0 * rowBytes + c * chunkBytes;
            long column = columnAt[(int) (c - c0)];
            if (scatter) {
              scatterChunk(chunkBytes, at, rowBytes, rowAt, m, column);
            } else {
              gatherChunk(chunkBytes, at, rowBytes, rowAt, m, column);
            }
          }
        }
      }
    }

    /** The digit of the row whose stride is that many bytes, or -1. */
    private int rowOfStride(int bytes) {
      for (int i = 0; i < strides.rows().length; i++) {
        if (strides.rows()[i] * bits == 8L * bytes) {
          return i;
        }
      }
      return -1;
    }

    /**
     * Words of four rows that stand side by side in the tensor, two columns at a time: 8 bytes each
     * way instead of 4. {@code one} and {@code two} are what the other rows' numbers add.
     */
    private void scatterQuads(
        long at, long rowBytes, long[] rowAt, int rows, int one, int two, long[] columnAt, int n) {
      for (int r = 0; r < rows; r++) {
        if ((r & (one | two)) != 0) {
          continue;
        }
        long first = at + r * rowBytes;
        long second = first + one * rowBytes;
        long third = first + two * rowBytes;
        long fourth = third + one * rowBytes;
        for (int c = 0; c < n; c += 2) {
          long a = plain.get(LONG, first + 4L * c);
          long b = plain.get(LONG, second + 4L * c);
          long d = plain.get(LONG, third + 4L * c);
          long e = plain.get(LONG, fourth + 4L * c);
          long left = rowAt[r] + columnAt[c];
          long right = rowAt[r] + columnAt[c + 1];
          packed.set(LONG, left, a & LOW | b << 32);
          packed.set(LONG, left + 8, d & LOW | e << 32);
          packed.set(LONG, right, a >>> 32 | b & ~LOW);
          packed.set(LONG, right + 8, d >>> 32 | e & ~LOW);
        }
      }
    }

    /** The inverse of {@link #scatterQuads}. */
    private void gatherQuads(
        long at, long rowBytes, long[] rowAt, int rows, int one, int two, long[] columnAt, int n) {
      for (int r = 0; r < rows; r++) {
        if ((r & (one | two)) != 0) {
          continue;
        }
        long first = at + r * rowBytes;
        long second = first + one * rowBytes;
        long third = first + two * rowBytes;
        long fourth = third + one * rowBytes;
        for (int c = 0; c < n; c += 2) {
          long left = rowAt[r] + columnAt[c];
          long right = rowAt[r] + columnAt[c + 1];
          long a = packed.get(LONG, left);
          long b = packed.get(LONG, left + 8);
          long d = packed.get(LONG, right);
          long e = packed.get(LONG, right + 8);
          plain.set(LONG, first + 4L * c, a & LOW | d << 32);
          plain.set(LONG, second + 4L * c, a >>> 32 | d & ~LOW);
          plain.set(LONG, third + 4L * c, b & LOW | e << 32);
          plain.set(LONG, fourth + 4L * c, b >>> 32 | e & ~LOW);
        }
      }
    }

    private void scatterChunk(
        long bytes, long at, long rowBytes, long[] rowAt, int rows, long column) {
      if (bytes == 1) {
        for (int r = 0; r < rows; r++) {
          packed.set(BYTE, rowAt[r] + column, plain.get(BYTE, at + r * rowBytes));
        }
      } else if (bytes == 2) {
        for (int r = 0; r < rows; r++) {
          packed.set(SHORT, rowAt[r] + column, plain.get(SHORT, at + r * rowBytes));
        }
      } else if (bytes == 4) {
        for (int r = 0; r < rows; r++) {
          packed.set(INT, rowAt[r] + column, plain.get(INT, at + r * rowBytes));
        }
      } else {
        for (int r = 0; r < rows; r++) {
          for (long b = 0; b < bytes; b += 8) {
            packed.set(LONG, rowAt[r] + column + b, plain.get(LONG, at + r * rowBytes + b));
          }
        }
      }
    }

    private void gatherChunk(
        long bytes, long at, long rowBytes, long[] rowAt, int rows, long column) {
      if (bytes == 1) {
        for (int r = 0; r < rows; r++) {
          plain.set(BYTE, at + r * rowBytes, packed.get(BYTE, rowAt[r] + column));
        }
      } else if (bytes == 2) {
        for (int r = 0; r < rows; r++) {
          plain.set(SHORT, at + r * rowBytes, packed.get(SHORT, rowAt[r] + column));
        }
      } else if (bytes == 4) {
        for (int r = 0; r < rows; r++) {
          plain.set(INT, at + r * rowBytes, packed.get(INT, rowAt[r] + column));
        }
      } else {
        for (int r = 0; r < rows; r++) {
          for (long b = 0; b < bytes; b += 8) {
            plain.set(LONG, at + r * rowBytes + b, packed.get(LONG, rowAt[r] + column + b));
          }
        }
      }
    }

    /** Elements below a byte, one by one, block by block. */
    private void moveBits(
        long plainOffset, long rowBytes, long firstRow, Region region, long packedOffset) {
      int blockRows = Math.max(BLOCK_ROWS, strides.tileRows());
      int blockColumns = Math.max(BLOCK_BYTES * 8 / bits, strides.tileColumns());
      for (long r0 = 0; r0 < region.rows; r0 += blockRows) {
        long rEnd = Math.min(region.rows, r0 + blockRows);
        for (long c0 = 0; c0 < region.columns; c0 += blockColumns) {
          long cEnd = Math.min(region.columns, c0 + blockColumns);
          for (long c = c0; c < cEnd; c++) {
            long column = strides.ofColumn(c);
            for (long r = r0; r < rEnd; r++) {
              long at = plainOffset + r * rowBytes;
              long position = strides.ofRow(firstRow + r) + column;
              if (scatter) {
                ScalarLayoutKernels.move(bits, plain, at, c, packed, packedOffset, position);
              } else {
                ScalarLayoutKernels.move(bits, packed, packedOffset, position, plain, at, c);
              }
            }
          }
        }
      }
    }
  }
}
