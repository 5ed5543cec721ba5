package dev.quern.formats.layout;

import dev.quern.engine.numeric.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Inputs sorted by their group, for kernels that want a group's inputs side by side: {@code order =
 * stable argsort(g_idx)}, and input {@code order[i]} is packed at place {@code i}. The kernel
 * gathers activations by the same order.
 *
 * <p>vLLM sorts without keeping the order inside a group, so its tensors may differ from ours
 * there; the products are the same.
 */
final class ActOrder {
  /** The logical tensor: the group of each input. */
  static final String GROUPS = "weight_g_idx";

  /** The packed tensor: the input at each place. */
  static final String ORDER = "g_idx_sort_indices";

  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private ActOrder() {}

  /** The sorted groups, under their logical name, and the order: together they restore it. */
  static List<PackedTensor> tensors(QuantizedMatrix module) {
    TensorType type = TensorType.of(DType.I32, module.k());
    MadeTensor sorted =
        MadeTensor.of(
                GROUPS,
                type,
                "sorted",
                GROUPS,
                (tensors, target) -> {
                  int[] groups = read(tensors.apply(GROUPS));
                  int[] order = order(tensors.apply(GROUPS));
                  write(IntStream.of(order).map(input -> groups[input]).toArray(), target);
                })
            .withWayBack(
                (tensors, target) -> {
                  int[] groups = read(tensors.apply(GROUPS));
                  int[] back = inverse(read(tensors.apply(ORDER)), groups.length);
                  write(IntStream.of(back).map(place -> groups[place]).toArray(), target);
                });
    MadeTensor order =
        MadeTensor.of(
            ORDER,
            type,
            "stable argsort",
            GROUPS,
            (tensors, target) -> write(order(tensors.apply(GROUPS)), target));
    return List.of(sorted, order);
  }

  /** A little-endian int32 tensor. */
  static int[] read(MemorySegment tensor) {
    int[] values = new int[Math.toIntExact(tensor.byteSize() / Integer.BYTES)];
    MemorySegment.copy(tensor, INT, 0, values, 0, values.length);
    return values;
  }

  static void write(int[] values, MemorySegment target) {
    MemorySegment.copy(values, 0, target, INT, 0, values.length);
  }

  /** The inputs, sorted by group. */
  static int[] order(MemorySegment groups) {
    int[] g = read(groups);
    List<Integer> inputs = new ArrayList<>(IntStream.range(0, g.length).boxed().toList());
    inputs.sort(Comparator.comparingInt(input -> g[input]));
    return inputs.stream().mapToInt(Integer::intValue).toArray();
  }

  /**
   * The place of each input.
   *
   * @throws LayoutException when it is no order of that many inputs
   */
  static int[] inverse(int[] order, long inputs) {
    int[] back = new int[order.length];
    boolean[] seen = new boolean[order.length];
    for (int place = 0; place < order.length; place++) {
      int input = order[place];
      LayoutException.require(
          order.length == inputs && input >= 0 && input < inputs && !seen[input],
          ORDER + " to hold each of " + inputs + " inputs once",
          input + " at place " + place + " of " + order.length);
      seen[input] = true;
      back[input] = place;
    }
    return back;
  }

  /** Column {@code i} of the target is column {@code order[i]} of the source. */
  static void permute(
      int bits, MemorySegment source, long rowBytes, long rows, int[] order, MemorySegment target) {
    byte[] from = new byte[Math.toIntExact(rowBytes)];
    byte[] to = new byte[from.length];
    int mask = (1 << bits) - 1;
    for (long row = 0; row < rows; row++) {
      MemorySegment.copy(source, ValueLayout.JAVA_BYTE, row * rowBytes, from, 0, from.length);
      Arrays.fill(to, (byte) 0);
      for (int i = 0; i < order.length; i++) {
        int at = order[i] * bits;
        int code = (from[at >> 3] & 0xFF) >> (at & 7) & mask;
        to[i * bits >> 3] |= (byte) (code << (i * bits & 7));
      }
      MemorySegment.copy(to, 0, target, ValueLayout.JAVA_BYTE, row * rowBytes, to.length);
    }
  }
}
