package dev.quern.engine.kernel.vector;

import dev.quern.engine.kernel.CandidateFormat;
import dev.quern.engine.kernel.RangeSearch;
import dev.quern.engine.numeric.FloatType;

/**
 * The terms of an error as real numbers, {@code |error|^norm} without the rounding of the power,
 * for tables of {@link ErrorFloors}. Relative errors are below 2^-22, which {@link SearchFloors}
 * allows for.
 */
final class FloorTerms {
  private static final int LOWEST = 0x3F80 - 20 * 128; // 2^-20; smaller errors count as none
  private static final int HIGHEST = 0x3F80 + 12 * 128; // larger ones as this

  private final CandidateFormat format;
  private final float[] powers; // by the pattern of the error; none for squares

  FloorTerms(RangeSearch search) {
    format = search.format();
    powers = new float[search.isLeastSquares() ? 0 : HIGHEST + 1];
    for (int bits = LOWEST; bits < powers.length; bits++) {
      powers[bits] = (float) Math.pow(FloatType.BF16.decode(bits), search.norm());
    }
  }

  /** The terms of weights under a scale; as many as are whole vectors of them. */
  void ofStep(float[] weights, float scale, float[] terms) {
    boolean integer = format.kind() == CandidateFormat.Kind.INTEGER;
    if (powers.length == 0) {
      if (integer) {
        SearchErrorsBf16.integerErrors(weights, weights.length, scale, format, terms);
      } else {
        SearchErrorsBf16.floatErrors(weights, weights.length, scale, format, terms);
      }
      for (int i = 0; i < terms.length; i++) {
        terms[i] *= terms[i];
      }
      return;
    }
    int[] bits = new int[weights.length];
    if (integer) {
      SearchErrorsBf16.integers(weights, weights.length, scale, format, bits);
    } else {
      SearchErrorsBf16.floats(weights, weights.length, scale, format, bits);
    }
    for (int i = 0; i < terms.length; i++) {
      terms[i] = powers[Math.min(bits[i], HIGHEST)];
    }
  }

  /**
   * Squares of what the largest code leaves of each weight: under smaller scales more is left,
   * since rounding keeps the order.
   */
  static void ofClipped(float[] weights, float scale, CandidateFormat format, float[] terms) {
    float highest = FloatType.BF16.round(format.highest() * scale);
    float lowest = FloatType.BF16.round(format.lowest() * scale);
    for (int i = 0; i < weights.length; i++) {
      float left = Math.max(Math.max(weights[i] - highest, lowest - weights[i]), 0);
      terms[i] = left * left;
    }
  }
}
