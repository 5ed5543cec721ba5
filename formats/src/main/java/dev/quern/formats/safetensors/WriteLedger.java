package dev.quern.formats.safetensors;

import dev.quern.formats.json.JsonWriter;
import java.util.Map;
import java.util.TreeMap;

/**
 * Which bytes of one tensor have been written. It proves that each was written exactly once: a gap
 * would be a run of zeros that every reader takes for weights.
 */
final class WriteLedger {
  private final TensorInfo tensor;
  // Disjoint ranges that do not touch: begin to end. Neighbours are merged, so writing in order
  // keeps one.
  private final TreeMap<Long, Long> ranges = new TreeMap<>();

  WriteLedger(TensorInfo tensor) {
    this.tensor = tensor;
  }

  /** Takes a range for one write, or refuses it when part of it was taken before. */
  synchronized void claim(long begin, long end) {
    if (begin == end) {
      return;
    }
    Map.Entry<Long, Long> before = ranges.floorEntry(begin);
    Map.Entry<Long, Long> after = ranges.ceilingEntry(begin);
    if (before != null && before.getValue() > begin) {
      throw twice(begin, Math.min(end, before.getValue()));
    }
    if (after != null && after.getKey() < end) {
      throw twice(after.getKey(), Math.min(end, after.getValue()));
    }
    long from = before != null && before.getValue() == begin ? before.getKey() : begin;
    long to = after != null && after.getKey() == end ? after.getValue() : end;
    ranges.remove(end);
    ranges.put(from, to);
  }

  /** The first byte that nobody wrote, or the tensor's size when there is none. */
  synchronized long firstMissing() {
    Map.Entry<Long, Long> first = ranges.firstEntry();
    return first == null || first.getKey() != 0 ? 0 : first.getValue();
  }

  TensorInfo tensor() {
    return tensor;
  }

  private IllegalStateException twice(long begin, long end) {
    return new IllegalStateException(
        "tensor "
            + JsonWriter.quote(tensor.name())
            + ": bytes "
            + begin
            + " to "
            + end
            + " are written twice");
  }
}
