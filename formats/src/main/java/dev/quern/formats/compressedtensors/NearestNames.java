package dev.quern.formats.compressedtensors;

import java.util.Collection;
import java.util.List;

/** Finds the names that a misspelt one was probably meant to be. */
public final class NearestNames {
  private static final int MOST = 3;

  private NearestNames() {}

  /**
   * The candidates at the least edit distance, at most three, none when the nearest is a far cry.
   */
  public static List<String> to(String name, Collection<String> candidates) {
    int nearest =
        candidates.stream().mapToInt(candidate -> distance(name, candidate)).min().orElse(0);
    if (nearest > Math.max(2, name.length() / 2)) {
      return List.of();
    }
    return candidates.stream()
        .filter(candidate -> distance(name, candidate) == nearest)
        .limit(MOST)
        .toList();
  }

  /** "Did you mean A or B? " with those names, or nothing when all are a far cry. */
  public static String question(String name, Collection<String> candidates) {
    List<String> nearest = to(name, candidates);
    return nearest.isEmpty() ? "" : "Did you mean " + String.join(" or ", nearest) + "? ";
  }

  /** Levenshtein's distance: the fewest insertions, deletions and substitutions. */
  static int distance(String a, String b) {
    int[] previous = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] current = new int[b.length() + 1];
      current[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int substitution = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        current[j] = Math.min(substitution, 1 + Math.min(previous[j], current[j - 1]));
      }
      previous = current;
    }
    return previous[b.length()];
  }
}
