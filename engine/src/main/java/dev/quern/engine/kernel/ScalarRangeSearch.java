package dev.quern.engine.kernel;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The definition of the searches.
 *
 * <p>Source: llm-compressor (2026-08), {@code observers/mse_quant.py}, {@code _grid_search_eager}
 * and {@code _calculate_error}, as run on CPU.
 */
public final class ScalarRangeSearch implements RangeSearchKernels {
  private static final ThreadLocal<CascadeSum> SUMS = ThreadLocal.withInitial(CascadeSum::new);

  /** Lanes of a sum of squares. */
  public static final int SQUARES_LANES = 32;

  /** Elements after which the lanes of a sum of squares are added up. */
  public static final int SQUARES_CHUNK = 1024;

  private static final ThreadLocal<float[]> LANES =
      ThreadLocal.withInitial(() -> new float[SQUARES_LANES]);

  /** The searches have no state. */
  public ScalarRangeSearch() {}

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
    for (int b = 0; b < blocks; b++) {
      long offset = sourceOffset + (long) b * n * search.type().bytes();
      int at = first + b;
      range(search.type(), source, offset, n, min, max, at);
      if (!Float.isFinite(min[at]) || !Float.isFinite(max[at])) {
        continue;
      }
      final float beginMin = search.begin(min[at]);
      final float beginMax = search.begin(max[at]);
      min[at] = beginMin;
      max[at] = beginMax;
      double best = largest(search.type());
      for (int step = 0; step < steps; step++) {
        float low = search.low(beginMin, step);
        float high = search.high(beginMax, step);
        double error = error(search, low, high, source, offset, n);
        if (error < best) {
          best = error;
          min[at] = low;
          max[at] = high;
        }
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
    float[] min = new float[1];
    float[] max = new float[1];
    for (int b = 0; b < blocks; b++) {
      long offset = sourceOffset + (long) b * n * search.type().bytes();
      range(search.type(), source, offset, n, min, max, 0);
      float beginMin = search.begin(min[0]);
      float beginMax = search.begin(max[0]);
      double best = largest(search.type());
      for (int step = 0; step < search.steps(); step++) {
        float low = search.low(beginMin, step);
        float high = search.high(beginMax, step);
        double error = error(search, low, high, source, offset, n);
        if (error < best) {
          best = error;
          improved[step] = true;
        }
      }
    }
  }

  /** The largest finite value, which an error must be below to count. */
  public static float largest(FloatType type) {
    return type.decode(type.infinityBits() - 1);
  }

  private static void range(
      FloatType type, MemorySegment source, long offset, int n, float[] min, float[] max, int at) {
    min[at] = Float.POSITIVE_INFINITY;
    max[at] = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < n; i++) { // these keep NaN
      float x = type.load(source, offset + (long) i * type.bytes());
      min[at] = Math.min(min[at], x);
      max[at] = Math.max(max[at], x);
    }
  }

  /** The error of one block when it is quantized over a range. */
  public static double error(
      RangeSearch search, float min, float max, MemorySegment source, long offset, int n) {
    if (search.isLeastSquares()) {
      return squaredError(search, min, max, source, offset, n);
    }
    FloatType type = search.type();
    CandidateFormat format = search.format();
    float scale = format.scale(type, min, max);
    float zeroPoint = format.zeroPoint(type, min, max);
    CascadeSum sum = SUMS.get();
    sum.begin(type, n);
    for (int i = 0; i < n; i++) {
      float x = type.load(source, offset + (long) i * type.bytes());
      float error = type.round(format.fakeQuantize(type, x, scale, zeroPoint) - x);
      sum.add(search.power(Math.abs(error)));
    }
    return type.round(sum.end());
  }

  /**
   * The sum of squared errors. Element {@code i} belongs to lane {@code i % 32}; each lane adds its
   * squares in binary32, and after 1,024 elements the lanes are added up in binary64, in ascending
   * order.
   */
  private static double squaredError(
      RangeSearch search, float min, float max, MemorySegment source, long offset, int n) {
    FloatType type = search.type();
    CandidateFormat format = search.format();
    float scale = format.scale(type, min, max);
    float zeroPoint = format.zeroPoint(type, min, max);
    double sum = 0;
    float[] lanes = LANES.get();
    for (int begin = 0; begin < n; begin += SQUARES_CHUNK) {
      Arrays.fill(lanes, 0);
      int end = Math.min(n, begin + SQUARES_CHUNK);
      for (int i = begin; i < end; i++) {
        float x = type.load(source, offset + (long) i * type.bytes());
        float error = format.fakeQuantize(type, x, scale, zeroPoint) - x;
        lanes[i % SQUARES_LANES] += error * error;
      }
      sum = addLanes(sum, lanes);
    }
    return sum;
  }

  /** Adds lanes of squares to a sum, one after the other. */
  public static double addLanes(double sum, float[] lanes) {
    for (float lane : lanes) {
      sum += lane;
    }
    return sum;
  }
}
