package dev.quern.formats.recipe;

import java.util.List;

/**
 * Rules that are applied together, with what they leave alone.
 *
 * <p>Among the rules of one modifier a target that names a module goes before a pattern, and a
 * pattern before a class.
 *
 * @param rules at least one
 * @param ignore module names, {@code re:} patterns and class names that none of the rules is for
 */
public record QuantizationModifier(List<RecipeRule> rules, List<String> ignore) {
  /** Copies the lists. */
  public QuantizationModifier {
    rules = List.copyOf(rules);
    ignore = List.copyOf(ignore);
    if (rules.isEmpty()) {
      throw new IllegalArgumentException("a modifier without rules");
    }
  }
}
