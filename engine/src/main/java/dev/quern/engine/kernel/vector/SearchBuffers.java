package dev.quern.engine.kernel.vector;

import dev.quern.engine.kernel.CascadeSum;

/**
 * What a thread keeps of one block while it tries ranges.
 *
 * <p>Whole rows of the sum, 64 elements of half precision, are kept in the order in which they are
 * added: first the lower halves of the four vectors, then the upper ones.
 *
 * <pre>
 *   element   0..7   8..15  16..23  24..31  32..39  40..47  48..55  56..63
 *   place     0..7  32..39   8..15  40..47  16..23  48..55  24..31  56..63
 * </pre>
 */
final class SearchBuffers {
  /** Elements of one row of the sum. */
  static final int ROW = 2 * CascadeSum.ACCUMULATORS;

  private static final int LANES = 8;

  float[] natural = new float[0];
  float[] weights = new float[0];
  int[] bits = new int[0];
  float[] terms = new float[0];
  float[] scales = new float[0];
  float[] zeroPoints = new float[0];
  final float[] sums = new float[CascadeSum.ACCUMULATORS];
  final CascadeSum sum = new CascadeSum();

  /** Makes room for blocks of {@code n} elements and for this many steps. */
  void reserve(int n, int steps) {
    int padded = Math.ceilDiv(n, ROW) * ROW;
    if (weights.length < padded) {
      natural = new float[padded];
      weights = new float[padded];
      bits = new int[padded];
      terms = new float[padded];
    }
    int paddedSteps = Math.ceilDiv(steps, ROW) * ROW;
    if (scales.length < paddedSteps) {
      scales = new float[paddedSteps];
      zeroPoints = new float[paddedSteps];
    }
  }

  /** Puts the elements of whole rows in the order of the sum; the rest stays where it is. */
  void arrange(int n) {
    int whole = n - n % ROW;
    for (int row = 0; row < whole; row += ROW) {
      for (int piece = 0; piece < ROW; piece += 2 * LANES) {
        System.arraycopy(natural, row + piece, weights, row + piece / 2, LANES);
        System.arraycopy(natural, row + piece + LANES, weights, row + ROW / 2 + piece / 2, LANES);
      }
    }
    System.arraycopy(natural, whole, weights, whole, n - whole);
  }
}
