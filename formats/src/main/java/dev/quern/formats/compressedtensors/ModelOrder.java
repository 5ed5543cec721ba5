package dev.quern.formats.compressedtensors;

import java.util.Comparator;

/**
 * An order of module names that stands for the order of the model: numbers by value, the output
 * head last.
 *
 * <p>The true order is in the model's code only. This one does not depend on how tensors are spread
 * over shards, so that the same model always gives the same list.
 */
final class ModelOrder {
  static final Comparator<String> OF_MODULES =
      Comparator.comparing(ModelOrder::isHead).thenComparing(ModelOrder::compareNatural);

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
    return a.compareTo(b);
  }

  private static boolean isNumber(String part) {
    return !part.isEmpty() && part.chars().allMatch(c -> c >= '0' && c <= '9');
  }
}
