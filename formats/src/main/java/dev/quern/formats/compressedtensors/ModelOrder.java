package dev.quern.formats.compressedtensors;

import java.util.Comparator;
import java.util.List;

/**
 * An order of module names that stands for the order of the model: numbers by value, attention
 * before the feed-forward part, the output head last.
 *
 * <p>The true order is in the model's code only. This one follows the decoders of transformers
 * where their parts have the usual names, and the alphabet elsewhere. It does not depend on how
 * tensors are spread over shards, so that the same model always gives the same list.
 */
public final class ModelOrder {
  /** Compares full module names. */
  public static final Comparator<String> OF_MODULES =
      Comparator.comparing(ModelOrder::isHead).thenComparing(ModelOrder::compareNatural);

  /** Names that stand beside each other in one module, in the order of the code. */
  private static final List<List<String>> SIBLINGS =
      List.of(
          List.of("linear_attn", "self_attn", "self_attention", "attention", "attn", "mlp"),
          List.of("q_proj", "k_proj", "v_proj", "o_proj"),
          List.of("gate_proj", "up_proj", "down_proj"));

  private ModelOrder() {}

  private static boolean isHead(String name) {
    return name.equals("lm_head") || name.endsWith(".lm_head");
  }

  /** Compares part by part; parts that are numbers by value, others by their characters. */
  private static int compareNatural(String a, String b) {
    String[] left = a.split("\\.", -1);
    String[] right = b.split("\\.", -1);
    for (int i = 0; i < Math.min(left.length, right.length); i++) {
      int order = comparePart(left[i], right[i]);
      if (order != 0) {
        return order;
      }
    }
    return Integer.compare(left.length, right.length);
  }

  private static int comparePart(String a, String b) {
    boolean numbers = isNumber(a) && isNumber(b);
    if (numbers && a.length() != b.length()) {
      return Integer.compare(a.length(), b.length());
    }
    int order = anchor(a).compareTo(anchor(b));
    if (order == 0) {
      order = Integer.compare(rank(a), rank(b));
    }
    return order != 0 ? order : a.compareTo(b);
  }

  /** The name under which a part is sorted among others: the last of its siblings. */
  private static String anchor(String part) {
    return SIBLINGS.stream()
        .filter(list -> list.contains(part))
        .map(List::getLast)
        .findFirst()
        .orElse(part);
  }

  /** The part's place among its siblings. */
  private static int rank(String part) {
    return SIBLINGS.stream().mapToInt(list -> list.indexOf(part)).max().orElse(-1);
  }

  private static boolean isNumber(String part) {
    return !part.isEmpty() && part.chars().allMatch(c -> c >= '0' && c <= '9');
  }
}
