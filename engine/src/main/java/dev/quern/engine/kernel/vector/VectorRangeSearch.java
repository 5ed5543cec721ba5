package dev.quern.engine.kernel.vector;

import dev.quern.engine.kernel.CandidateFormat;
import dev.quern.engine.kernel.CascadeSum;
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
 * <p>A block is widened to binary32 once. Each step then makes the bits of all errors (vectors),
 * looks up their powers (a table that fits the first cache where errors are near each other, one
 * load an element: a gather is no faster), and adds these in the order of the definition (vectors).
 */
final class VectorRangeSearch implements RangeSearchKernels {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final RangeSearchKernels LAW = new ScalarRangeSearch();
  private static final int LARGEST_BLOCK = 1 << 20;

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
    SearchBuffers buffers = BUFFERS.get();
    buffers.reserve(n, search.steps());
    for (int b = 0; b < blocks; b++) {
      int at = first + b;
      load(source, sourceOffset + 2L * b * n, n, buffers);
      min[at] = smallest(buffers.natural, n);
      max[at] = largest(buffers.natural, n);
      if (Float.isFinite(min[at]) && Float.isFinite(max[at])) {
        search(search, steps, n, buffers, min, max, at);
      }
    }
  }

  private static void search(
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
      double error = error(search, buffers, n, step, largest);
      if (error < best) {
        best = error;
        min[at] = search.shrink(beginMin, step);
        max[at] = search.shrink(beginMax, step);
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
      load(source, sourceOffset + 2L * b * n, n, buffers);
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
          double error = error(search, buffers, n, step, magnitude);
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
        float low = search.shrink(beginMin, step);
        float high = search.shrink(beginMax, step);
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

  private static double error(
      RangeSearch search, SearchBuffers buffers, int n, int step, float largest) {
    CandidateFormat format = search.format();
    float scale = buffers.scales[step];
    if (search.isLeastSquares()) {
      return squaredError(format, buffers, n, scale, SearchErrorsBf16.covers(scale, largest));
    }
    if (!SearchErrorsBf16.covers(scale, largest)) {
      return plainError(search, buffers, n, scale, buffers.zeroPoints[step]);
    }
    int padded = Math.ceilDiv(n, F.length()) * F.length();
    if (format.kind() != CandidateFormat.Kind.INTEGER) {
      SearchErrorsBf16.floats(buffers.weights, padded, scale, format, buffers.bits);
    } else if (format.symmetric()) {
      SearchErrorsBf16.integers(buffers.weights, padded, scale, format, buffers.bits);
    } else {
      SearchErrorsBf16.shiftedIntegers(
          buffers.weights, padded, scale, buffers.zeroPoints[step], format, buffers.bits);
    }
    lookUp(search.powers(), buffers.bits, n, buffers.terms);
    return sum(buffers, n);
  }

  /** Formats are symmetric here. */
  private static double squaredError(
      CandidateFormat format, SearchBuffers buffers, int n, float scale, boolean covered) {
    double sum = 0;
    float[] lanes = buffers.sums;
    for (int begin = 0; begin < n; begin += ScalarRangeSearch.SQUARES_CHUNK) {
      int count = Math.min(ScalarRangeSearch.SQUARES_CHUNK, n - begin);
      int padded = Math.ceilDiv(count, lanes.length) * lanes.length;
      if (!covered) {
        plainSquares(format, buffers.natural, begin, count, scale, lanes);
      } else if (format.kind() == CandidateFormat.Kind.INTEGER) {
        SearchErrorsBf16.integerSquares(buffers.natural, begin, padded, scale, format, lanes);
      } else {
        SearchErrorsBf16.floatSquares(buffers.natural, begin, padded, scale, format, lanes);
      }
      sum = ScalarRangeSearch.addLanes(sum, lanes);
    }
    return sum;
  }

  private static void plainSquares(
      CandidateFormat format, float[] weights, int begin, int n, float scale, float[] lanes) {
    Arrays.fill(lanes, 0);
    for (int i = begin; i < begin + n; i++) {
      float x = weights[i];
      float error = format.fakeQuantize(FloatType.BF16, x, scale, 0) - x;
      lanes[i % lanes.length] += error * error;
    }
  }

  private static float plainError(
      RangeSearch search, SearchBuffers buffers, int n, float scale, float zeroPoint) {
    FloatType type = FloatType.BF16;
    for (int i = 0; i < n; i++) {
      float x = buffers.weights[i];
      float error = type.round(search.format().fakeQuantize(type, x, scale, zeroPoint) - x);
      buffers.terms[i] = search.power(Math.abs(error));
    }
    return sum(buffers, n);
  }

  private static void lookUp(float[] powers, int[] bits, int n, float[] terms) {
    for (int i = 0; i < n; i++) {
      terms[i] = powers[bits[i]];
    }
  }

  /** Adds the terms up as {@link CascadeSum} does. */
  private static float sum(SearchBuffers buffers, int n) {
    CascadeSum sum = buffers.sum;
    sum.begin(FloatType.BF16, n);
    int rows = (int) sum.wholeRows();
    for (int row = 0; row < rows; row += sum.chunkRows()) {
      int chunk = Math.min(sum.chunkRows(), rows - row);
      addRows(buffers.terms, row * SearchBuffers.ROW, chunk, buffers.sums);
      sum.addChunk(buffers.sums, chunk);
    }
    for (int i = rows * SearchBuffers.ROW; i < n; i++) {
      sum.add(buffers.terms[i]);
    }
    return FloatType.BF16.round(sum.end());
  }

  private static void addRows(float[] terms, int begin, int rows, float[] sums) {
    int half = SearchBuffers.ROW / 2;
    for (int j = 0; j < half; j += F.length()) {
      int at = begin + j;
      FloatVector sum =
          FloatVector.fromArray(F, terms, at).add(FloatVector.fromArray(F, terms, at + half));
      for (int row = 1; row < rows; row++) {
        at += SearchBuffers.ROW;
        sum =
            sum.add(
                FloatVector.fromArray(F, terms, at)
                    .add(FloatVector.fromArray(F, terms, at + half)));
      }
      sum.intoArray(sums, j);
    }
  }

  private static void load(MemorySegment source, long offset, int n, SearchBuffers buffers) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatLanes.loadBf16(source, offset + 2L * i).intoArray(buffers.natural, i);
    }
    for (; i < n; i++) {
      buffers.natural[i] = FloatType.BF16.load(source, offset + 2L * i);
    }
    buffers.arrange(n);
    for (int pad = n; pad % SearchBuffers.ROW != 0; pad++) {
      buffers.weights[pad] = 0;
      buffers.natural[pad] = 0;
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
