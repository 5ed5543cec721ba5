package dev.quern.engine.kernel.vector;

import dev.quern.engine.kernel.CandidateFormat;
import dev.quern.engine.kernel.RangeSearch;
import dev.quern.engine.kernel.RangeSearchKernels;
import dev.quern.engine.kernel.ScalarRangeSearch;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The searches with vectors, for bf16; other types go to the definition.
 *
 * <p>Errors are those of {@link BlockErrorsBf16}. For formats with one scale for both signs that is
 * no power of two, {@link FloorSearch} finds out which steps need them; here all do.
 */
final class VectorRangeSearch implements RangeSearchKernels {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final RangeSearchKernels LAW = new ScalarRangeSearch();
  private static final int LARGEST_BLOCK = 1 << 20;

  private final boolean tables;

  /**
   * @param tables whether {@link FloorSearch} may keep its tables
   */
  VectorRangeSearch(boolean tables) {
    this.tables = tables;
  }

  @Override
  public long memoryBytes(RangeSearch search, int threads) {
    return tables && ErrorFloors.takes(search) ? FloorSearch.memoryBytes(search, threads) : 0;
  }

  private static final ThreadLocal<SearchBuffers> BUFFERS =
      ThreadLocal.withInitial(SearchBuffers::new);

  @Override
  public void search(
      RangeSearch search,
      int steps,
      MemorySegment source,
      long sourceOffset,
      int blocks,
      int n,
      float[] min,
      float[] max,
      int first) {
    if (search.type() != FloatType.BF16 || n > LARGEST_BLOCK) {
      LAW.search(search, steps, source, sourceOffset, blocks, n, min, max, first);
      return;
    }
    if (tables && FloorSearch.takes(search, n)) {
      FloorSearch.search(search, steps, source, sourceOffset, blocks, n, min, max, first);
      return;
    }
    SearchBuffers buffers = BUFFERS.get();
    buffers.reserve(n, search.steps());
    for (int b = 0; b < blocks; b++) {
      int at = first + b;
      BlockErrorsBf16.load(source, sourceOffset + 2L * b * n, n, buffers);
      min[at] = smallest(buffers.natural, n);
      max[at] = largest(buffers.natural, n);
      if (Float.isFinite(min[at]) && Float.isFinite(max[at])) {
        search(search, steps, n, buffers, min, max, at);
      }
    }
  }

  /**
   * The search in one block, step by step.
   *
   * @param buffers with the block in them
   * @param min with the block's smallest weight at {@code at}, in the place of which its range goes
   */
  static void search(
      RangeSearch search,
      int steps,
      int n,
      SearchBuffers buffers,
      float[] min,
      float[] max,
      int at) {
    float beginMin = search.begin(min[at]);
    float beginMax = search.begin(max[at]);
    float largest = Math.max(Math.abs(min[at]), Math.abs(max[at]));
    parameters(search, steps, beginMin, beginMax, buffers);
    double best = ScalarRangeSearch.largest(FloatType.BF16);
    min[at] = beginMin;
    max[at] = beginMax;
    for (int step = 0; step < steps; step++) {
      if (isRepeated(buffers, step)) {
        continue;
      }
      double error =
          BlockErrorsBf16.error(
              search, buffers, n, buffers.scales[step], buffers.zeroPoints[step], largest);
      if (error < best) {
        best = error;
        min[at] = search.low(beginMin, step);
        max[at] = search.high(beginMax, step);
      }
    }
  }

  @Override
  public void markImprovements(
      RangeSearch search,
      MemorySegment source,
      long sourceOffset,
      int blocks,
      int n,
      boolean[] improved) {
    if (search.type() != FloatType.BF16 || n > LARGEST_BLOCK) {
      LAW.markImprovements(search, source, sourceOffset, blocks, n, improved);
      return;
    }
    SearchBuffers buffers = BUFFERS.get();
    buffers.reserve(n, search.steps());
    for (int b = 0; b < blocks; b++) {
      BlockErrorsBf16.load(source, sourceOffset + 2L * b * n, n, buffers);
      float smallest = smallest(buffers.natural, n);
      float largest = largest(buffers.natural, n);
      float magnitude = Math.max(Math.abs(smallest), Math.abs(largest));
      if (!Float.isFinite(magnitude)) {
        continue;
      }
      parameters(search, search.steps(), search.begin(smallest), search.begin(largest), buffers);
      double best = ScalarRangeSearch.largest(FloatType.BF16);
      for (int step = 0; step < search.steps(); step++) {
        if (!isRepeated(buffers, step)) {
          double error =
              BlockErrorsBf16.error(
                  search, buffers, n, buffers.scales[step], buffers.zeroPoints[step], magnitude);
          if (error < best) {
            best = error;
            improved[step] = true;
          }
        }
      }
    }
  }

  /** Equal parameters give equal errors, and a later one of equal errors is no better. */
  private static boolean isRepeated(SearchBuffers buffers, int step) {
    return step > 0
        && buffers.scales[step] == buffers.scales[step - 1]
        && buffers.zeroPoints[step] == buffers.zeroPoints[step - 1];
  }

  private static void parameters(
      RangeSearch search, int steps, float beginMin, float beginMax, SearchBuffers buffers) {
    CandidateFormat format = search.format();
    if (!format.symmetric() || format.powerOfTwoScales()) {
      for (int step = 0; step < steps; step++) {
        float low = search.low(beginMin, step);
        float high = search.high(beginMax, step);
        buffers.scales[step] = format.scale(FloatType.BF16, low, high);
        buffers.zeroPoints[step] = format.zeroPoint(FloatType.BF16, low, high);
      }
      return;
    }
    Arrays.fill(buffers.zeroPoints, 0, steps, 0);
    // A symmetric range counts by its larger side, and rounding keeps the order.
    float magnitude = Math.max(Math.abs(Math.min(beginMin, 0)), Math.abs(Math.max(beginMax, 0)));
    int step = 0;
    if (!search.isLeastSquares()) {
      step = SearchErrorsBf16.scales(search.factors(), steps, magnitude, format, buffers.scales);
    }
    for (; step < steps; step++) {
      buffers.scales[step] = format.scale(FloatType.BF16, 0, search.shrink(magnitude, step));
    }
  }

  private static float smallest(float[] x, int n) {
    FloatVector smallest = FloatVector.broadcast(F, Float.POSITIVE_INFINITY);
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      smallest = smallest.min(FloatVector.fromArray(F, x, i));
    }
    float result = smallest.reduceLanes(VectorOperators.MIN);
    for (; i < n; i++) {
      result = Math.min(result, x[i]);
    }
    return result;
  }

  private static float largest(float[] x, int n) {
    FloatVector largest = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      largest = largest.max(FloatVector.fromArray(F, x, i));
    }
    float result = largest.reduceLanes(VectorOperators.MAX);
    for (; i < n; i++) {
      result = Math.max(result, x[i]);
    }
    return result;
  }
}
