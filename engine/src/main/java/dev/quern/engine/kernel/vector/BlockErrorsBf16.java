package dev.quern.engine.kernel.vector;

import dev.quern.engine.kernel.CandidateFormat;
import dev.quern.engine.kernel.CascadeSum;
import dev.quern.engine.kernel.RangeSearch;
import dev.quern.engine.kernel.ScalarRangeSearch;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The error of a bf16 block under one scale, bit for bit as {@link ScalarRangeSearch#error} has it.
 *
 * <p>A block is widened to binary32 once. Each error then takes the bits of all differences
 * (vectors), looks up their powers (one load an element: a gather does the same loads), and adds
 * these in the order of the definition (vectors).
 */
final class BlockErrorsBf16 {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final int SHORTEST = 16;

  private BlockErrorsBf16() {}

  /** Widens a block of {@code n} weights into the buffers. */
  static void load(MemorySegment source, long offset, int n, SearchBuffers buffers) {
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

  /**
   * The error of the block in the buffers, as the definition has it.
   *
   * @param largest magnitude of the block
   */
  static double error(
      RangeSearch search,
      SearchBuffers buffers,
      int n,
      float scale,
      float zeroPoint,
      float largest) {
    CandidateFormat format = search.format();
    if (search.isLeastSquares()) {
      boolean covered = SearchErrorsBf16.covers(scale, largest);
      return squaredError(format, buffers, n, scale, zeroPoint, covered);
    }
    if (!SearchErrorsBf16.covers(scale, largest)) {
      return plainError(search, buffers, n, scale, zeroPoint);
    }
    int padded = Math.ceilDiv(n, F.length()) * F.length();
    if (format.kind() != CandidateFormat.Kind.INTEGER) {
      SearchErrorsBf16.floats(buffers.weights, padded, scale, format, buffers.bits);
    } else if (format.symmetric()) {
      SearchErrorsBf16.integers(buffers.weights, padded, scale, format, buffers.bits);
    } else {
      SearchErrorsBf16.shiftedIntegers(
          buffers.weights, padded, scale, zeroPoint, format, buffers.bits);
    }
    lookUp(search.powers(), buffers.bits, n, buffers.terms);
    return n == SHORTEST ? shortest(buffers.terms) : sum(buffers, n);
  }

  private static double squaredError(
      CandidateFormat format,
      SearchBuffers buffers,
      int n,
      float scale,
      float zeroPoint,
      boolean covered) {
    double sum = 0;
    float[] lanes = buffers.sums;
    for (int begin = 0; begin < n; begin += ScalarRangeSearch.SQUARES_CHUNK) {
      int count = Math.min(ScalarRangeSearch.SQUARES_CHUNK, n - begin);
      int padded = Math.ceilDiv(count, lanes.length) * lanes.length;
      if (!covered) {
        plainSquares(format, buffers.natural, begin, count, scale, zeroPoint, lanes);
      } else if (!format.symmetric()) {
        SearchErrorsBf16.shiftedIntegerSquares(
            buffers.natural, begin, padded, scale, zeroPoint, format, lanes);
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
      CandidateFormat format,
      float[] weights,
      int begin,
      int n,
      float scale,
      float zeroPoint,
      float[] lanes) {
    Arrays.fill(lanes, 0);
    for (int i = begin; i < begin + n; i++) {
      float x = weights[i];
      float error = format.fakeQuantize(FloatType.BF16, x, scale, zeroPoint) - x;
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

  /** The sum of {@value #SHORTEST} terms, which has neither rows nor levels. */
  private static float shortest(float[] terms) {
    float sum = 0;
    for (int lane = 0; lane < SHORTEST / 2; lane++) {
      sum += terms[lane] + terms[lane + SHORTEST / 2];
    }
    return FloatType.BF16.round(sum);
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
}
