package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import dev.quern.engine.kernel.RangeSearch;
import dev.quern.engine.kernel.ScalarRangeSearch;
import dev.quern.engine.kernel.ThreadBuffer;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The search with lower bounds: {@link FloorSums} gives one for each step, and the error itself is
 * computed for the step with the lowest bound, and for those whose bound does not exceed the best
 * error so far. All others are worse, so they can be neither the best step nor tie with it; among
 * those computed, the definition's order decides. Most blocks take one to three errors.
 *
 * <p>Blocks are taken in the order of the fraction of their largest magnitude, so that a table is
 * in the cache while it is used. Blocks that can have no bounds go step by step.
 */
final class FloorSearch {
  private static final VectorSpecies<Short> S16 = Shapes.S16;
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LE);
  private static final int BATCH = 1 << 17;
  private static final int STAGED = 1 << 13; // elements, but at least one block
  private static final int SHORTEST_BLOCK = 16;
  private static final int UNBOUNDED = ErrorFloors.BINADE;
  private static final int MAGNITUDE = 0x7FFF;
  private static final int INFINITY = 0x7F80;

  private static final ThreadBuffer STAGES = new ThreadBuffer();
  private static final ThreadLocal<FloorSearch> THREADS = ThreadLocal.withInitial(FloorSearch::new);

  private final SearchBuffers buffers = new SearchBuffers();
  private final FloorSums sums = new FloorSums();
  private final short[] fractions = new short[BATCH];
  private final int[] order = new int[BATCH];
  private final short[] lanes = new short[2 * S16.length()];
  private final int[] ends = new int[UNBOUNDED + 1];

  private MemorySegment staged;

  private FloorSearch() {}

  static boolean takes(RangeSearch search, int n) {
    return n >= SHORTEST_BLOCK && ErrorFloors.takes(search);
  }

  /** Tables, and the order of a batch in each thread. */
  static long memoryBytes(RangeSearch search, int threads) {
    return SearchFloors.memoryBytes(search)
        + (long) threads * BATCH * (Short.BYTES + Integer.BYTES);
  }

  static void search(
      RangeSearch search,
      int steps,
      MemorySegment source,
      long sourceOffset,
      int blocks,
      int n,
      float[] min,
      float[] max,
      int first) {
    FloorSearch thread = THREADS.get();
    thread.buffers.reserve(n, search.steps());
    thread.sums.reserve(n);
    thread.staged = STAGES.atLeast(2L * Math.max(STAGED, n));
    SearchFloors floors = SearchFloors.of(search, n);
    for (int b = 0; b < blocks; b += BATCH) {
      int count = Math.min(BATCH, blocks - b);
      long offset = sourceOffset + 2L * b * n;
      thread.batch(search, floors, steps, source, offset, count, n, min, max, first + b);
    }
  }

  private void batch(
      RangeSearch search,
      SearchFloors floors,
      int steps,
      MemorySegment source,
      long sourceOffset,
      int blocks,
      int n,
      float[] min,
      float[] max,
      int first) {
    for (int b = 0; b < blocks; b++) {
      extremes(source, sourceOffset + 2L * b * n, n, min, max, first + b);
    }
    sort(blocks, min, max, first);
    int done = 0;
    for (int fraction = 0; fraction <= UNBOUNDED; fraction++) {
      if (done == ends[fraction]) {
        continue;
      }
      ErrorFloors table = fraction == UNBOUNDED ? ErrorFloors.NONE : floors.table(fraction);
      if (table != ErrorFloors.NONE) {
        sums.begin(table, ErrorFloors.hasTail(search), steps);
      }
      while (done < ends[fraction]) {
        int count = Math.min(Math.max(1, STAGED / n), ends[fraction] - done);
        stage(source, sourceOffset, done, count, n);
        for (int i = 0; i < count; i++, done++) {
          block(search, floors, table, steps, 2L * i * n, n, min, max, first + order[done]);
        }
      }
    }
  }

  /** Copies blocks of one fraction together: fetched one by one, each would be waited for. */
  private void stage(MemorySegment source, long sourceOffset, int done, int count, int n) {
    for (int i = 0; i < count; i++) {
      long from = sourceOffset + 2L * order[done + i] * n;
      long to = 2L * i * n;
      int k = 0;
      for (int bound = S16.loopBound(n); k < bound; k += S16.length()) {
        ShortVector.fromMemorySegment(S16, source, from + 2L * k, LE)
            .intoMemorySegment(staged, to + 2L * k, LE);
      }
      for (; k < n; k++) {
        staged.set(SHORT, to + 2L * k, source.get(SHORT, from + 2L * k));
      }
    }
  }

  private void block(
      RangeSearch search,
      SearchFloors floors,
      ErrorFloors table,
      int steps,
      long offset,
      int n,
      float[] min,
      float[] max,
      int at) {
    if (!Float.isFinite(min[at]) || !Float.isFinite(max[at])) {
      return;
    }
    BlockErrorsBf16.load(staged, offset, n, buffers);
    float largest = Math.max(Math.abs(min[at]), Math.abs(max[at]));
    int bits = Float.floatToRawIntBits(largest) >>> 16;
    double worth = table == ErrorFloors.NONE ? 0 : floors.worth(table, bits);
    if (worth == 0) {
      VectorRangeSearch.search(search, steps, n, buffers, min, max, at);
    } else {
      sums.locate(table, staged, offset, n, bits);
      sums.add(table, n);
      choose(search, floors, table, steps, n, worth, largest, min, max, at);
    }
  }

  /** A counting sort; {@link #order} keeps the order of blocks of one fraction. */
  private void sort(int blocks, float[] min, float[] max, int first) {
    Arrays.fill(ends, 0);
    for (int b = 0; b < blocks; b++) {
      float largest = Math.max(Math.abs(min[first + b]), Math.abs(max[first + b]));
      int bits = Float.floatToRawIntBits(largest) >>> 16;
      int fraction = SearchFloors.takes(bits) ? bits & ErrorFloors.BINADE - 1 : UNBOUNDED;
      fractions[b] = (short) fraction;
      ends[fraction]++;
    }
    int end = 0;
    for (int i = 0; i < ends.length; i++) {
      int count = ends[i];
      ends[i] = end;
      end += count;
    }
    for (int b = 0; b < blocks; b++) {
      order[ends[fractions[b]]++] = b;
    }
  }

  private void choose(
      RangeSearch search,
      SearchFloors floors,
      ErrorFloors table,
      int steps,
      int n,
      double worth,
      float largest,
      float[] min,
      float[] max,
      int at) {
    int tail = ErrorFloors.hasTail(search) ? table.scales().length - 1 : Integer.MAX_VALUE;
    float power = Math.scalb(1f, Math.getExponent(largest));
    double best = ScalarRangeSearch.largest(FloatType.BF16);
    int bestStep = -1;
    int lowest = sums.smallest();
    if (lowest < tail && !sums.isIdle(lowest)) {
      float scale = table.scales()[lowest] * power;
      double error = BlockErrorsBf16.error(search, buffers, n, scale, 0, largest);
      if (error < best) {
        best = error;
        bestStep = lowest;
      }
    } else {
      lowest = -1;
    }
    boolean tailCounts = false;
    for (int from = 0; from < 1 << table.shift(); from += Long.SIZE) {
      long open = sums.atMost(floors.reaches(best) / worth, from);
      for (; open != 0; open &= open - 1) {
        int step = from + Long.numberOfTrailingZeros(open);
        if (sums.isIdle(step) || step == lowest) {
          continue;
        }
        if (step == tail) {
          tailCounts = true;
          continue;
        }
        float scale = table.scales()[step] * power;
        double error = BlockErrorsBf16.error(search, buffers, n, scale, 0, largest);
        if (error < best || error == best && step < bestStep) {
          best = error;
          bestStep = step;
        }
      }
    }
    float beginMin = search.begin(min[at]);
    float beginMax = search.begin(max[at]);
    if (tailCounts) {
      float begin = search.begin(largest);
      for (int step = tail; step < steps; step++) {
        float scale = search.format().scale(FloatType.BF16, 0, search.shrink(begin, step));
        double error = BlockErrorsBf16.error(search, buffers, n, scale, 0, largest);
        if (error < best) {
          best = error;
          bestStep = step;
        }
      }
    }
    min[at] = bestStep < 0 ? beginMin : search.shrink(beginMin, bestStep);
    max[at] = bestStep < 0 ? beginMax : search.shrink(beginMax, bestStep);
  }

  /** The smallest and the largest weight of a block; one of them is not finite where one is not. */
  private void extremes(
      MemorySegment source, long offset, int n, float[] min, float[] max, int at) {
    ShortVector x = ShortVector.fromMemorySegment(S16, source, offset, LE);
    ShortVector least = ordered(x);
    ShortVector most = least;
    int i = S16.length();
    for (int bound = S16.loopBound(n); i < bound; i += S16.length()) {
      ShortVector key = ordered(ShortVector.fromMemorySegment(S16, source, offset + 2L * i, LE));
      least = least.min(key);
      most = most.max(key);
    }
    // Not by reduceLanes: with more uses of it on shorts, kernels that have it too allocated.
    least.intoArray(lanes, 0);
    most.intoArray(lanes, S16.length());
    int smallest = lanes[0];
    int largest = lanes[S16.length()];
    for (int lane = 1; lane < S16.length(); lane++) {
      smallest = Math.min(smallest, lanes[lane]);
      largest = Math.max(largest, lanes[S16.length() + lane]);
    }
    for (; i < n; i++) {
      int bits = source.get(SHORT, offset + 2L * i);
      int key = bits ^ bits >> 15 & MAGNITUDE;
      smallest = Math.min(smallest, key);
      largest = Math.max(largest, key);
    }
    min[at] = value(smallest);
    max[at] = value(largest);
    if (largest > INFINITY || smallest < ~INFINITY) { // NaN counts for both ends
      min[at] = Float.NaN;
      max[at] = Float.NaN;
    }
  }

  private static ShortVector ordered(ShortVector bits) {
    return bits.lanewise(VectorOperators.ASHR, 15)
        .and((short) MAGNITUDE)
        .lanewise(VectorOperators.XOR, bits);
  }

  private static float value(int key) {
    return Float.intBitsToFloat((key ^ key >> 31 & MAGNITUDE) << 16);
  }
}
