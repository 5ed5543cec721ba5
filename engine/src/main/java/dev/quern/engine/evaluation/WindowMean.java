package dev.quern.engine.evaluation;

import java.util.OptionalDouble;

/**
 * A mean over tokens, and its standard error, from sums over windows of text.
 *
 * <p>Tokens of one window are not independent: a hard passage is hard for many tokens. So windows
 * are what is drawn, and the mean is the ratio of two sums over them:
 *
 * <pre>
 *   mean = S / T                           S = sum of the windows' sums s, T = of their tokens t
 *   standard error = sqrt(W / (W - 1) * sum((s - mean * t)^2)) / T           over W windows
 * </pre>
 *
 * <p>With windows of equal size that is the standard deviation of their means over the root of
 * their number. Source: Cochran, Sampling Techniques, third edition, section 6.3, without the
 * finite population.
 */
public final class WindowMean {
  private final double[] sums;
  private final long[] counts;
  private int windows;

  /**
   * @param capacity the most windows that are added
   */
  public WindowMean(int capacity) {
    sums = new double[capacity];
    counts = new long[capacity];
  }

  /**
   * Adds a window.
   *
   * @param scores one for each of its tokens
   */
  public void add(double[] scores) {
    double sum = 0;
    for (double score : scores) {
      sum += score;
    }
    sums[windows] = sum;
    counts[windows] = scores.length;
    windows++;
  }

  /** Number of tokens. */
  public long tokens() {
    long tokens = 0;
    for (int i = 0; i < windows; i++) {
      tokens += counts[i];
    }
    return tokens;
  }

  /** The mean over all tokens; NaN without any. */
  public double mean() {
    double sum = 0;
    for (int i = 0; i < windows; i++) {
      sum += sums[i];
    }
    return sum / tokens();
  }

  /** The standard error of the mean; empty with less than two windows. */
  public OptionalDouble standardError() {
    if (windows < 2) {
      return OptionalDouble.empty();
    }
    double mean = mean();
    double squares = 0;
    for (int i = 0; i < windows; i++) {
      double difference = sums[i] - mean * counts[i];
      squares += difference * difference;
    }
    return OptionalDouble.of(Math.sqrt(squares * windows / (windows - 1)) / tokens());
  }
}
