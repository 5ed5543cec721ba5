package dev.quern.engine.kernel.vector;

import dev.quern.engine.kernel.CandidateFormat;
import dev.quern.engine.kernel.RangeSearch;
import dev.quern.engine.memory.NativeMemory;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * What each weight adds to the error of each step at least, for blocks whose largest magnitude has
 * one given fraction: a table with a row for each bf16 weight and a column for each step, in whole
 * units of 16 bits. So the sum of a block's rows says for all steps at once how small their errors
 * can be, at one addition for 32 of them.
 *
 * <p>Why the fraction is enough: bf16 rounding commutes with powers of two as long as everything is
 * a normal number. So scale, quotient, code and error of a weight {@code x * 2^k} under the ranges
 * of a block with the largest magnitude {@code a * 2^k} are those of {@code x} and {@code a}, times
 * {@code 2^k}; the real number {@code |error|^norm} gets the factor {@code 2^(k * norm)}, the same
 * for all weights and steps. The table is that of {@code k = 0}, {@code a} from 1 up to 2.
 *
 * <p>Why sums are bounds, whatever the weights: an entry is the real term over the unit, rounded
 * down; too large entries and sums saturate, which makes them smaller; weights too small for a row
 * have one of zeros.
 *
 * <pre>
 *   row     r: magnitude of pattern (largest - r), r below rows - 1; positive weights
 *           rows - 1: nothing but zeros, for all smaller magnitudes
 *           rows + r, r below 128: the same, for negative integers, whose range is one longer
 *   column  i: step i; with more than 128 steps, the last one is for all steps from there on
 * </pre>
 *
 * <p>Below the first 128 rows an entry is the smaller one of both signs'.
 *
 * @param table rows of {@code 1 << shift} entries, native so that no vector crosses a cache line
 * @param start what sums begin with: the smallest short; the largest for columns without a step,
 *     and for steps whose scale is that of the step before, which are never better than that
 * @param scales of the steps that have a column of their own
 * @param rows with their signs left out; a multiple of 128
 * @param unit what one unit is worth
 * @param shift logarithm of the row length
 */
record ErrorFloors(
    MemorySegment table, short[] start, float[] scales, int rows, double unit, int shift) {
  /** Columns that a table may have. */
  static final int MOST_COLUMNS = 128;

  /** Patterns in a binade; also rows of negative weights. */
  static final int BINADE = 128;

  /** Where there can be no bounds. */
  static final ErrorFloors NONE =
      new ErrorFloors(MemorySegment.NULL, new short[0], new float[0], 0, 0, 0);

  /** Elements that are summed up in 16 bits. */
  static final int CHUNK = 128;

  private static final ValueLayout.OfShort ENTRY = ValueLayout.JAVA_SHORT.withOrder(Shapes.LE);
  private static final int ONE = 0x3F80; // as bf16
  private static final float SMALLEST_SCALE = 0x1p-40f;

  // The sum of a chunk of normally distributed weights at a typical step; a sum ends at 65,535.
  private static final double TYPICAL_SUM = 20_000;

  /** Whether the table's last column is for all steps that have none of their own. */
  static boolean hasTail(RangeSearch search) {
    return search.steps() > MOST_COLUMNS;
  }

  /** Whether a search can have a table. */
  static boolean takes(RangeSearch search) {
    CandidateFormat format = search.format();
    return search.type() == FloatType.BF16
        && format.symmetric()
        && !format.powerOfTwoScales()
        && search.steps() > 0
        && (search.isLeastSquares() || search.steps() <= MOST_COLUMNS);
  }

  /**
   * The table for blocks of {@code n} weights whose largest has this fraction.
   *
   * @param fraction 0 to 127
   * @param n affects the unit only
   */
  static ErrorFloors of(RangeSearch search, FloorTerms terms, int fraction, int n) {
    float largest = FloatType.BF16.decode(ONE + fraction);
    float begin = search.begin(largest);
    int columns = Math.min(search.steps(), MOST_COLUMNS);
    float[] scales = new float[columns];
    for (int step = 0; step < columns; step++) {
      scales[step] = search.format().scale(FloatType.BF16, 0, search.shrink(begin, step));
      if (scales[step] < SMALLEST_SCALE || !SearchErrorsBf16.covers(scales[step], largest)) {
        return NONE;
      }
    }
    int width = width(columns);
    int shift = Integer.numberOfTrailingZeros(width);
    int rows = rows(columns);
    boolean signed = search.format().kind() == CandidateFormat.Kind.INTEGER;
    float[] weights = new float[signed ? 2 * rows : rows];
    for (int row = 0; row < rows; row++) {
      weights[row] = FloatType.BF16.decode(ONE + fraction - row);
      if (signed) {
        weights[rows + row] = -weights[row];
      }
    }
    float[] step = new float[weights.length];
    terms.ofStep(weights, scales[columns / 3], step);
    double unit = mean(weights, rows, step, n) * Math.min(n, CHUNK) / TYPICAL_SUM;
    long entries = (long) (signed ? rows + BINADE : rows) << shift;
    MemorySegment table = NativeMemory.allocate(Arena.ofAuto(), Short.BYTES * entries);
    int own = hasTail(search) ? columns - 1 : columns;
    for (int i = 0; i < columns; i++) {
      if (i < own) {
        terms.ofStep(weights, scales[i], step);
      } else {
        FloorTerms.ofClipped(weights, scales[i], search.format(), step);
      }
      fill(table, i, width, rows, signed, step, (float) (1 / unit));
    }
    return new ErrorFloors(table, start(scales, own, columns, width), scales, rows, unit, shift);
  }

  private static int width(int columns) {
    return Math.max(Shapes.S.length(), Integer.highestOneBit(2 * columns - 1));
  }

  private static int rows(int columns) {
    return (columns <= 32 ? 10 : 6) * BINADE;
  }

  /** Bytes of a table of a search, at most. */
  static long mostBytes(RangeSearch search) {
    int columns = Math.min(search.steps(), MOST_COLUMNS);
    return (long) Short.BYTES * (rows(columns) + BINADE) * width(columns);
  }

  /** Whether negative weights have rows of their own. */
  boolean signed() {
    return table.byteSize() > (long) Short.BYTES * rows << shift;
  }

  private static short[] start(float[] scales, int own, int columns, int width) {
    short[] start = new short[width];
    Arrays.fill(start, 0, columns, Short.MIN_VALUE);
    Arrays.fill(start, columns, width, Short.MAX_VALUE);
    for (int step = 1; step < own; step++) {
      if (scales[step] == scales[step - 1]) {
        start[step] = Short.MAX_VALUE;
      }
    }
    return start;
  }

  private static void fill(
      MemorySegment table,
      int column,
      int width,
      int rows,
      boolean signed,
      float[] terms,
      float perUnit) {
    for (int row = 0; row < rows - 1; row++) {
      float term = terms[row];
      if (signed && row < BINADE) {
        short negative = floor(terms[rows + row] * perUnit);
        table.setAtIndex(ENTRY, (long) (rows + row) * width + column, negative);
      } else if (signed) {
        term = Math.min(term, terms[rows + row]);
      }
      table.setAtIndex(ENTRY, (long) row * width + column, floor(term * perUnit));
    }
  }

  private static short floor(float units) {
    return (short) Math.min((int) units, Short.MAX_VALUE);
  }

  /** The mean term of normally distributed weights; it affects how tight the bounds are. */
  private static double mean(float[] weights, int rows, float[] terms, int n) {
    double deviation = weights[0] / (Math.sqrt(2 * Math.log(n)) - 0.5);
    double sum = 0;
    double mass = 0;
    for (int row = 0; row < rows; row++) {
      double u = weights[row] / deviation;
      double density = Math.exp(-0.5 * u * u) * Math.ulp(weights[row]);
      sum += density * terms[row];
      mass += density;
    }
    return sum / mass;
  }
}
