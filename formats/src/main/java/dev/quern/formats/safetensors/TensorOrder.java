package dev.quern.formats.safetensors;

import java.util.Comparator;

/** Orders of tensor names. */
public final class TensorOrder {
  private static final Comparator<String> NATURAL =
      ((Comparator<String>) TensorOrder::compareNatural).thenComparing(Comparator.naturalOrder());

  private static final Comparator<String> MODEL =
      Comparator.<String, Boolean>comparing(TensorOrder::isHead).thenComparing(NATURAL);

  private TensorOrder() {}

  /** Runs of digits compare by value: {@code layers.2} stands before {@code layers.10}. */
  public static Comparator<String> natural() {
    return NATURAL;
  }

  /**
   * The natural order with {@code lm_head} last, which is close to the order in which a model
   * computes.
   */
  public static Comparator<String> model() {
    return MODEL;
  }

  private static boolean isHead(String name) {
    return name.startsWith("lm_head.") || name.contains(".lm_head.");
  }

  private static int compareNatural(String a, String b) {
    int i = 0;
    int j = 0;
    while (i < a.length() && j < b.length()) {
      if (isDigit(a.charAt(i)) && isDigit(b.charAt(j))) {
        int endA = endOfDigits(a, i);
        int endB = endOfDigits(b, j);
        int order = compareNumbers(a.substring(i, endA), b.substring(j, endB));
        if (order != 0) {
          return order;
        }
        i = endA;
        j = endB;
      } else {
        int order = Character.compare(a.charAt(i++), b.charAt(j++));
        if (order != 0) {
          return order;
        }
      }
    }
    return Integer.compare(a.length() - i, b.length() - j);
  }

  /** Compares without parsing: a hostile name may hold more digits than any integer type. */
  private static int compareNumbers(String a, String b) {
    String x = withoutLeadingZeros(a);
    String y = withoutLeadingZeros(b);
    return x.length() != y.length() ? Integer.compare(x.length(), y.length()) : x.compareTo(y);
  }

  private static String withoutLeadingZeros(String digits) {
    int start = 0;
    while (start < digits.length() - 1 && digits.charAt(start) == '0') {
      start++;
    }
    return digits.substring(start);
  }

  private static int endOfDigits(String text, int from) {
    int end = from;
    while (end < text.length() && isDigit(text.charAt(end))) {
      end++;
    }
    return end;
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }
}
