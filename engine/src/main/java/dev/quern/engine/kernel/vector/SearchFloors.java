package dev.quern.engine.kernel.vector;

import dev.quern.engine.kernel.RangeSearch;
import dev.quern.engine.numeric.FloatType;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The tables of {@link ErrorFloors} for one search and length of blocks, made when they are first
 * asked for and shared by all threads: 128 of them, of 80 to 230 KiB each.
 *
 * <p>What the units of a sum {@code u} say about the error {@code v} of the definition, for a block
 * whose largest magnitude has the exponent {@code k}:
 *
 * <pre>
 *   real sum  &gt;= u * unit * 2^(k * norm)
 *   powers    each is rounded to bf16, down by 2^-8 of it at most (8 significant bits); the cube twice
 *   sum       by additions whose depth is below 512, each down by 2^-24 at most
 *   v         &gt;= R(u * unit * 2^(k * norm) * (1 - 2^-8)^2 * (1 - 2^-14)),   R for sums of powers only
 * </pre>
 */
final class SearchFloors {
  /** Exponents of largest magnitudes for which all errors that count are normal numbers. */
  private static final int MOST_EXPONENT = 50;

  private static final int KEPT = 2;
  private static final Deque<SearchFloors> RECENT = new ArrayDeque<>();

  private final RangeSearch search;
  private final int n;
  private final FloorTerms terms;
  private static final double MOST_NORM = 8;

  private final double[] worth = new double[2 * MOST_EXPONENT + 1];
  private final AtomicReferenceArray<ErrorFloors> tables =
      new AtomicReferenceArray<>(ErrorFloors.BINADE);

  private SearchFloors(RangeSearch search, int n) {
    this.search = search;
    this.n = n;
    terms = new FloorTerms(search);
    double kept = 1 - 0x1p-14;
    if (!search.isLeastSquares()) {
      kept *= search.norm() == 3 ? (1 - 0x1p-8) * (1 - 0x1p-8) : 1 - 0x1p-8;
    }
    double norm = search.isLeastSquares() ? 2 : search.norm();
    for (int i = 0; i < worth.length; i++) {
      worth[i] = Math.pow(2, (i - MOST_EXPONENT) * norm) * kept;
    }
  }

  /** Those that are kept, and one set that made room and waits for the garbage collector. */
  static long memoryBytes(RangeSearch search) {
    return (KEPT + 1) * (long) ErrorFloors.BINADE * ErrorFloors.mostBytes(search);
  }

  /** Tables that were used lately are kept, whoever asks. */
  static SearchFloors of(RangeSearch search, int n) {
    synchronized (RECENT) {
      for (SearchFloors floors : RECENT) {
        if (floors.n == n && floors.search.equals(search)) {
          return floors;
        }
      }
      if (RECENT.size() == KEPT) {
        RECENT.removeFirst();
      }
      SearchFloors floors = new SearchFloors(search, n);
      RECENT.addLast(floors);
      return floors;
    }
  }

  /** The table for a fraction; {@link ErrorFloors#NONE} where there is none. */
  ErrorFloors table(int fraction) {
    ErrorFloors table = tables.get(fraction);
    if (table == null) {
      table = ErrorFloors.of(search, terms, fraction, n);
      tables.set(fraction, table);
    }
    return table;
  }

  /** Whether a block can have bounds, by the bf16 pattern of its largest magnitude. */
  static boolean takes(int largestBits) {
    int exponent = (largestBits >> 7) - 127;
    return exponent >= -MOST_EXPONENT && exponent <= MOST_EXPONENT;
  }

  /**
   * What one unit of a sum is worth at least in an error of the definition; 0 where it would not be
   * a normal number, so that nothing follows from the sums.
   */
  double worth(ErrorFloors table, int largestBits) {
    if (!search.isLeastSquares() && search.norm() > MOST_NORM) {
      return 0; // terms of a table could leave the normal numbers while its unit does not
    }
    double unit = table.unit() * worth[(largestBits >> 7) - 127 + MOST_EXPONENT];
    return unit >= 0x1p-100 && unit <= 0x1p100 ? unit : 0;
  }

  /** The largest error that does not exceed {@code v} once it is rounded, or is not rounded. */
  double reaches(double v) {
    if (search.isLeastSquares()) {
      return v;
    }
    int bits = FloatType.BF16.encode((float) v);
    return (v + FloatType.BF16.decode(bits + 1)) / 2;
  }
}
