package dev.quern.pipeline.evaluation;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A stream of ids, cut into windows of one length. Each window is read alone; its first token is
 * not predicted.
 *
 * @param windows the ids of each; two at least
 * @param leftOut tokens at the end that are in none
 */
public record Windows(List<int[]> windows, int leftOut) {
  /** Copies the list. */
  public Windows {
    windows = List.copyOf(windows);
  }

  /**
   * Cuts a stream. What is left at its end, less than a window, is left out, unless there is
   * nothing else.
   *
   * @param ids two at least
   * @param length of a window, two at least
   */
  public static Windows cut(int[] ids, int length) {
    if (ids.length < 2 || length < 2) {
      throw new IllegalArgumentException(ids.length + " ids in windows of " + length);
    }
    if (ids.length < length) {
      return new Windows(List.of(ids.clone()), 0);
    }
    int count = ids.length / length;
    List<int[]> windows =
        IntStream.range(0, count)
            .mapToObj(i -> Arrays.copyOfRange(ids, i * length, (i + 1) * length))
            .toList();
    return new Windows(windows, ids.length - count * length);
  }

  /** Tokens of all windows. */
  public long tokens() {
    return windows.stream().mapToLong(ids -> ids.length).sum();
  }

  /** Tokens of the longest. */
  public int longest() {
    return windows.getFirst().length;
  }
}
