package dev.quern.pipeline;

import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.safetensors.TensorSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Collects the modules whose columns are no multiple of the group that their scheme asks for, so
 * that one error names them all.
 */
final class UndividedGroups {
  /** Modules that the error names in full. */
  private static final int NAMED = 3;

  /** Smaller groups have more scale than weight, and no kernel. */
  private static final long SMALLEST_USEFUL = 16;

  private record Undivided(String module, TensorSpec weight, QuantizationArgs args) {}

  private final List<Undivided> found = new ArrayList<>();

  /** Remembers a matrix when the groups of its scheme do not divide it. */
  void add(String module, TensorSpec weight, QuantizationArgs args) {
    OptionalInt size = args.groupSize();
    boolean divided =
        size.isEmpty() || size.getAsInt() <= 0 || weight.shape().get(1) % size.getAsInt() == 0;
    if (!divided) {
      found.add(new Undivided(module, weight, args));
    }
  }

  /**
   * @param model the checkpoint, for the message
   * @throws QuernException when there was one
   */
  void refuse(String model) {
    if (found.isEmpty()) {
      return;
    }
    throw new QuernException(
        QuernException.Kind.REQUEST,
        model,
        modules()
            + (found.size() == 1 ? " has " : " have ")
            + joined(found.stream().map(u -> u.weight().shape().get(1)).distinct().sorted(), " or ")
            + " columns, which groups of "
            + joined(
                found.stream().map(u -> u.args().groupSize().getAsInt()).distinct().sorted(),
                " or ")
            + " do not divide",
        remedy());
  }

  private String modules() {
    String first = joined(found.stream().map(Undivided::module), ", ");
    if (found.size() == 1) {
      return "the weight of " + first;
    }
    return found.size() <= NAMED
        ? "the weights of " + first
        : "the weights of " + found.size() + " modules (" + first + ", ...)";
  }

  /** The first few. */
  private static String joined(Stream<?> values, String separator) {
    return values.limit(NAMED).map(Object::toString).collect(Collectors.joining(separator));
  }

  private String remedy() {
    StringBuilder remedy = new StringBuilder("Add ");
    remedy.append(found.size() == 1 ? "it" : "them").append(" to --ignore");
    long common = commonPowerOfTwo();
    boolean anySize = found.stream().allMatch(u -> u.args().hasFreeGroupSize());
    if (anySize && common >= SMALLEST_USEFUL) {
      remedy
          .append(", give a --recipe with a group_size that divides them (")
          .append(common)
          .append(")");
    }
    return remedy.append(", or use a scheme by channel such as FP8_DYNAMIC or W8A8.").toString();
  }

  /** The largest power of two that divides all widths and is no larger than any group. */
  private long commonPowerOfTwo() {
    return found.stream()
        .mapToLong(
            u ->
                Math.min(
                    Long.lowestOneBit(u.weight().shape().get(1)),
                    Long.highestOneBit(u.args().groupSize().getAsInt())))
        .min()
        .orElseThrow();
  }
}
