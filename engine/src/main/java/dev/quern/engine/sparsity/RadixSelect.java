package dev.quern.engine.sparsity;

/**
 * Finds the k-th smallest of many bit patterns without sorting them: digit by digit from the top,
 * each pass counting the patterns that agree so far. Counts are integers, so the result knows
 * nothing of the order in which they came, nor of threads.
 */
public final class RadixSelect {
  /**
   * Counts the digits of one pass over the data.
   *
   * @param <X> what it throws
   */
  @FunctionalInterface
  public interface Pass<X extends Exception> {
    /**
     * @param totals receives the count of each of the {@code 2^digitBits} digits
     */
    void count(int shift, int digitBits, int prefix, long[] totals) throws X;
  }

  /**
   * Where the selection ends.
   *
   * @param bits the k-th smallest pattern: all below it are selected
   * @param ties how many patterns of exactly {@code bits} are selected as well
   * @param equal how many there are
   */
  public record Threshold(int bits, long ties, long equal) {
    /** Nothing is selected. */
    public static final Threshold NONE = new Threshold(0, 0, 0);

    /** Whether no choice among equals is left. */
    public boolean takesAllEqual() {
      return ties == equal;
    }

    /** The pattern below which all are selected, when it {@link #takesAllEqual}. */
    public int exclusive() {
      return ties == 0 ? bits : bits + 1;
    }
  }

  private RadixSelect() {}

  /**
   * @param k how many are to be selected, from 0 to the number of patterns
   * @param digits widths of the digits, from the top; together the width of a pattern
   * @throws InterruptedException what a pass throws
   */
  public static <X extends Exception> Threshold select(long k, int[] digits, Pass<X> pass)
      throws X {
    if (k == 0) {
      return Threshold.NONE;
    }
    int shift = 0;
    for (int width : digits) {
      shift += width;
    }
    int prefix = 0;
    long left = k;
    long equal = 0;
    for (int width : digits) {
      shift -= width;
      long[] totals = new long[1 << width];
      pass.count(shift, width, prefix, totals);
      int digit = 0;
      while (totals[digit] < left) {
        left -= totals[digit++];
      }
      prefix = prefix << width | digit;
      equal = totals[digit];
    }
    return new Threshold(prefix, left, equal);
  }
}
