package dev.quern.engine.quantization.observer;

import java.util.Collection;

/** What to say about names that are not known. */
final class ObserverNames {
  private ObserverNames() {}

  static ObserverException unknown(String name, Collection<String> known) {
    String expected = "one of " + String.join(", ", known);
    return switch (name.replace('-', '_')) {
      case "imatrix_mse" ->
          new ObserverException(
              "observer",
              expected,
              name,
              "imatrix_mse weighs errors by activations, which take calibration data, and this"
                  + " version has no calibration; memoryless_mse needs none");
      case "static_mse" ->
          new ObserverException(
              "observer", expected, name, "There is no static_mse; use memoryless_mse");
      default ->
          new ObserverException(
              "observer", expected, name, "Use " + nearest(name, known) + ", or another of these");
    };
  }

  static ObserverException unknownSetting(String key, String observer, String known) {
    return new ObserverException(
        key, "a setting of observer " + observer + ": " + known, key, "Remove " + key);
  }

  /** The name that takes the fewest insertions, deletions and replacements. */
  private static String nearest(String name, Collection<String> known) {
    String best = "";
    int fewest = Integer.MAX_VALUE;
    for (String candidate : known) {
      int edits = edits(name.replace('-', '_'), candidate);
      if (edits < fewest) {
        fewest = edits;
        best = candidate;
      }
    }
    return best;
  }

  private static int edits(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replace = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replace, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
