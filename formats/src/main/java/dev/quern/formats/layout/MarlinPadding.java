package dev.quern.formats.layout;

/**
 * The extents that Marlin's kernels want: tiles of 64 outputs by 128 inputs or 128 by 64, whole
 * groups, and the fewest weights; of two equal ones, the smaller sum.
 *
 * <p>Source: vLLM 017e9f44, {@code marlin_utils.py:221-243}.
 *
 * @param n outputs
 * @param k inputs
 */
record MarlinPadding(long n, long k) {
  /**
   * @param group inputs that share a scale; 1 for scales by channel
   */
  static MarlinPadding of(long n, long k, long group) {
    MarlinPadding wide = new MarlinPadding(up(n, 64), up(k, lcm(128, group)));
    MarlinPadding tall = new MarlinPadding(up(n, 128), up(k, lcm(64, group)));
    long difference = wide.n * wide.k - tall.n * tall.k;
    if (difference == 0) {
      difference = wide.n + wide.k - tall.n - tall.k;
    }
    return difference <= 0 ? wide : tall;
  }

  private static long up(long value, long multiple) {
    return Math.ceilDiv(value, multiple) * multiple;
  }

  private static long lcm(long a, long b) {
    long x = a;
    long y = b;
    while (y != 0) {
      long rest = x % y;
      x = y;
      y = rest;
    }
    return a / x * b;
  }
}
