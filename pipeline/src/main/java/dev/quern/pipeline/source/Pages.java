package dev.quern.pipeline.source;

/** What reading a column of a mapped matrix makes resident. */
final class Pages {
  private static final long PAGE = 4096;

  private Pages() {}

  /**
   * Bytes of the pages that {@code runs} runs of {@code length} bytes touch, each at the same place
   * in a row of {@code rowBytes} bytes.
   */
  static long touched(long runs, long length, long rowBytes) {
    return runs * Math.min(rowBytes, length + 2 * PAGE);
  }
}
