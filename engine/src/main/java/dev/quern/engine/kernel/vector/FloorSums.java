package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Sums of rows of {@link ErrorFloors} over a block, one for each step, and the steps whose sums do
 * not exceed a limit. Sums of up to {@link ErrorFloors#CHUNK} weights are shorts that begin at the
 * smallest one; those of longer blocks are added up in ints.
 */
final class FloorSums {
  private static final VectorSpecies<Short> S = Shapes.S;
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LE);

  /** The row of each weight. */
  short[] rows = new short[0];

  private final short[] sums = new short[ErrorFloors.MOST_COLUMNS];
  private final short[] start = new short[ErrorFloors.MOST_COLUMNS];
  private final int[] totals = new int[ErrorFloors.MOST_COLUMNS];
  private final short[] lanes = new short[S.length()];
  private int columns;
  private boolean isLong;

  void reserve(int n) {
    if (rows.length < n) {
      rows = new short[n];
    }
  }

  /** Takes what sums begin with from a table, for a search of {@code steps} steps only. */
  void begin(ErrorFloors table, boolean hasTail, int steps) {
    columns = 1 << table.shift();
    System.arraycopy(table.start(), 0, start, 0, columns);
    int used = hasTail && steps >= columns ? columns : steps;
    if (used < columns) {
      Arrays.fill(start, used, columns, Short.MAX_VALUE);
    }
  }

  /** Finds the row of each weight of a block. */
  void locate(ErrorFloors table, MemorySegment source, long offset, int n, int largestBits) {
    short last = (short) (table.rows() - 1);
    short toNegative = (short) (table.signed() ? table.rows() : 0);
    int i = 0;
    for (int bound = S.loopBound(n); i < bound; i += S.length()) {
      ShortVector x = ShortVector.fromMemorySegment(S, source, offset + 2L * i, LE);
      ShortVector row =
          ShortVector.broadcast(S, (short) largestBits).sub(x.and((short) 0x7FFF)).min(last);
      // All bits set where the weight is negative and its row below 128.
      ShortVector negative =
          x.and(row.sub((short) ErrorFloors.BINADE)).lanewise(VectorOperators.ASHR, 15);
      row.add(negative.and(toNegative)).intoArray(rows, i);
    }
    for (; i < n; i++) {
      int x = source.get(SHORT, offset + 2L * i);
      int row = Math.min(largestBits - (x & 0x7FFF), last);
      rows[i] = (short) (x < 0 && row < ErrorFloors.BINADE ? row + toNegative : row);
    }
  }

  /** Adds the rows of a block up. */
  void add(ErrorFloors table, int n) {
    isLong = n > ErrorFloors.CHUNK;
    if (!isLong) {
      chunk(table, 0, n);
      return;
    }
    Arrays.fill(totals, 0, columns, 0);
    for (int begin = 0; begin < n; begin += ErrorFloors.CHUNK) {
      chunk(table, begin, Math.min(n, begin + ErrorFloors.CHUNK));
      for (int i = 0; i < columns; i++) {
        totals[i] += sums[i] - Short.MIN_VALUE;
      }
    }
    for (int i = 0; i < columns; i++) {
      totals[i] = start[i] == Short.MAX_VALUE ? Integer.MAX_VALUE : totals[i];
    }
  }

  private void chunk(ErrorFloors table, int begin, int end) {
    int vectors = columns / S.length();
    if (vectors == 1) {
      one(table.table(), table.shift() + 1, begin, end);
    } else if (vectors == 2) {
      two(table.table(), table.shift() + 1, begin, end);
    } else {
      for (int column = 0; column < columns; column += 4 * S.length()) {
        four(table.table(), table.shift() + 1, column, begin, end);
      }
    }
  }

  private void one(MemorySegment table, int shift, int begin, int end) {
    ShortVector sum = ShortVector.fromArray(S, start, 0);
    for (int i = begin; i < end; i++) {
      sum =
          sum.lanewise(
              VectorOperators.SADD,
              ShortVector.fromMemorySegment(S, table, (long) rows[i] << shift, LE));
    }
    sum.intoArray(sums, 0);
  }

  private void two(MemorySegment table, int shift, int begin, int end) {
    ShortVector a = ShortVector.fromArray(S, start, 0);
    ShortVector b = ShortVector.fromArray(S, start, S.length());
    for (int i = begin; i < end; i++) {
      long at = (long) rows[i] << shift;
      a = a.lanewise(VectorOperators.SADD, ShortVector.fromMemorySegment(S, table, at, LE));
      b =
          b.lanewise(
              VectorOperators.SADD,
              ShortVector.fromMemorySegment(S, table, at + S.vectorByteSize(), LE));
    }
    a.intoArray(sums, 0);
    b.intoArray(sums, S.length());
  }

  private void four(MemorySegment table, int shift, int column, int begin, int end) {
    ShortVector a = ShortVector.fromArray(S, start, column);
    ShortVector b = ShortVector.fromArray(S, start, column + S.length());
    ShortVector c = ShortVector.fromArray(S, start, column + 2 * S.length());
    ShortVector d = ShortVector.fromArray(S, start, column + 3 * S.length());
    for (int i = begin; i < end; i++) {
      long at = ((long) rows[i] << shift) + 2 * column;
      a = a.lanewise(VectorOperators.SADD, ShortVector.fromMemorySegment(S, table, at, LE));
      b =
          b.lanewise(
              VectorOperators.SADD,
              ShortVector.fromMemorySegment(S, table, at + S.vectorByteSize(), LE));
      c =
          c.lanewise(
              VectorOperators.SADD,
              ShortVector.fromMemorySegment(S, table, at + 2 * S.vectorByteSize(), LE));
      d =
          d.lanewise(
              VectorOperators.SADD,
              ShortVector.fromMemorySegment(S, table, at + 3 * S.vectorByteSize(), LE));
    }
    a.intoArray(sums, column);
    b.intoArray(sums, column + S.length());
    c.intoArray(sums, column + 2 * S.length());
    d.intoArray(sums, column + 3 * S.length());
  }

  /** The column of the smallest sum, the first of equal ones. */
  int smallest() {
    if (isLong) {
      int best = 0;
      for (int i = 1; i < columns; i++) {
        best = totals[i] < totals[best] ? i : best;
      }
      return best;
    }
    ShortVector least = ShortVector.fromArray(S, sums, 0);
    for (int i = S.length(); i < columns; i += S.length()) {
      least = least.min(ShortVector.fromArray(S, sums, i));
    }
    least.intoArray(lanes, 0);
    short smallest = lanes[0];
    for (int lane = 1; lane < S.length(); lane++) {
      smallest = (short) Math.min(smallest, lanes[lane]);
    }
    int i = 0;
    while (sums[i] != smallest) {
      i++;
    }
    return i;
  }

  /** The sum of a column, in units. */
  int sum(int column) {
    return isLong ? totals[column] : sums[column] - Short.MIN_VALUE;
  }

  /** Whether a column has no step, or one that cannot be better than that before. */
  boolean isIdle(int column) {
    return start[column] == Short.MAX_VALUE;
  }

  /**
   * Up to 64 columns whose sums are at most this, one bit each.
   *
   * @param first a multiple of 64
   */
  long atMost(double units, int first) {
    long found = 0;
    int end = Math.min(columns, first + 64);
    if (isLong) {
      for (int i = first; i < end; i++) {
        found |= totals[i] <= units ? 1L << i - first : 0;
      }
      return found;
    }
    short limit = (short) (Math.min(units, 0xFFFF) + Short.MIN_VALUE);
    for (int i = first; i < end; i += S.length()) {
      VectorMask<Short> low = ShortVector.fromArray(S, sums, i).compare(VectorOperators.LE, limit);
      found |= low.toLong() << i - first;
    }
    return found;
  }
}
