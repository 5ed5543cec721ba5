package dev.quern.pipeline;

import java.util.ArrayList;
import java.util.List;

/**
 * A piece of one tensor that one worker does at a time: some rows of a matrix, or some bytes of a
 * tensor that is copied.
 *
 * @param tensor number of the tensor in the plan
 * @param begin first row, or first byte
 * @param end one past the last row, or byte
 */
record SourceTask(int tensor, long begin, long end) {
  // Enough to hide the cost of mapping a window.
  private static final long LARGE = 8 << 20;
  private static final long SMALL = 64 << 10;

  /**
   * Source bytes that a piece aims at, so that all threads together stay well within the budget.
   */
  static long targetBytes(int threads, long memoryBytes) {
    return Math.clamp(memoryBytes / (8L * threads), SMALL, LARGE);
  }

  long size() {
    return end - begin;
  }

  /**
   * Cuts {@code size} rows or bytes into pieces of about {@code target} bytes, each a multiple of
   * {@code unit}.
   */
  static List<SourceTask> cut(int tensor, long size, long unit, long bytesOfUnit, long target) {
    long step = Math.max(1, target / Math.max(1, bytesOfUnit)) * unit;
    List<SourceTask> tasks = new ArrayList<>();
    long begin = 0;
    do {
      long end = Math.min(size, begin + step);
      tasks.add(new SourceTask(tensor, begin, end));
      begin = end;
    } while (begin < size);
    return tasks;
  }
}
