package dev.quern.pipeline.source;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.huggingface.SourceTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which scale of its row a column has: groups of neighbours, or what a {@code g_idx} says.
 *
 * <p>A {@code g_idx} is read when it is first needed. Safe for use by several threads.
 */
final class ColumnGroups {
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final Map<List<Integer>, int[]> NEIGHBOURS = new ConcurrentHashMap<>();

  private final int cols;
  private final int groups;
  private final int size;
  private final Optional<SourceTensor> index;
  private final boolean equalSizes;
  private volatile int[] groupOf;

  private ColumnGroups(
      int cols, int groups, int size, Optional<SourceTensor> index, boolean equalSizes) {
    this.cols = cols;
    this.groups = groups;
    this.size = size;
    this.index = index;
    this.equalSizes = equalSizes;
  }

  /** Neighbours; the last group may be smaller. */
  static ColumnGroups ofSize(int cols, int size) {
    return new ColumnGroups(cols, Math.ceilDiv(cols, size), size, Optional.empty(), false);
  }

  /**
   * compressed-tensors' index, in which all groups have the same size and a -1 anywhere means that
   * there is no index.
   */
  static ColumnGroups indexed(int cols, int size, SourceTensor index) {
    return new ColumnGroups(cols, Math.ceilDiv(cols, size), size, Optional.of(index), true);
  }

  /** AutoGPTQ's index, in which groups may have any size. */
  static ColumnGroups anySizes(int cols, int groups, SourceTensor index) {
    return new ColumnGroups(cols, groups, Math.ceilDiv(cols, groups), Optional.of(index), false);
  }

  /** Number of scales in a row. */
  int count() {
    return groups;
  }

  /** The group of each column. */
  int[] groupOf() {
    int[] known = groupOf;
    if (known == null) {
      known = index.isPresent() ? read(index.get()) : neighbours();
      groupOf = known;
    }
    return known;
  }

  /** One array for all matrices of these sizes: a model has thousands of those, and few sizes. */
  private int[] neighbours() {
    return NEIGHBOURS.computeIfAbsent(
        List.of(cols, size),
        sizes -> {
          int[] all = new int[cols];
          for (int c = 0; c < cols; c++) {
            all[c] = c / size;
          }
          return all;
        });
  }

  private int[] read(SourceTensor tensor) {
    int[] all = new int[cols];
    int[] members = new int[groups];
    boolean none = false;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment values = tensor.file().map(tensor.info(), 0, tensor.info().bytes(), arena);
      for (int c = 0; c < cols; c++) {
        all[c] = values.get(INT, 4L * c);
        none |= all[c] == -1;
        if (all[c] >= 0 && all[c] < groups) {
          members[all[c]]++;
        } else if (all[c] != -1 || !equalSizes) {
          throw refused(tensor, c, "a group from 0 to " + (groups - 1), all[c]);
        }
      }
    }
    if (none) {
      return neighbours();
    }
    for (int g = 0; equalSizes && g < groups; g++) {
      if (members[g] != Math.min(size, cols - g * size)) {
        throw refused(tensor, -1, size + " columns of group " + g, members[g]);
      }
    }
    return all;
  }

  private static CheckpointException refused(
      SourceTensor tensor, int column, String expected, int found) {
    return new CheckpointException(
        tensor.file().path()
            + ", tensor "
            + tensor.name()
            + (column < 0 ? "" : " [" + column + "]"),
        "expected " + expected + ", found " + found,
        "The checkpoint is damaged; fetch it again.");
  }
}
