package dev.quern.formats.recipe;

import dev.quern.formats.compressedtensors.QuantizationArgs;
import java.util.List;
import java.util.Optional;

/**
 * Rules that are applied together, with what they leave alone.
 *
 * <p>Among the rules of one modifier a target that names a module goes before a pattern, and a
 * pattern before a class.
 *
 * @param rules at least one, or a cache
 * @param ignore module names, {@code re:} patterns and class names that none of the rules is for
 * @param cache how keys and values are stored while the model runs, {@code kv_cache_scheme}; empty
 *     for the model's own type
 */
public record QuantizationModifier(
    List<RecipeRule> rules, List<String> ignore, Optional<QuantizationArgs> cache) {
  /** A modifier that leaves the cache alone. */
  public QuantizationModifier(List<RecipeRule> rules, List<String> ignore) {
    this(rules, ignore, Optional.empty());
  }

  /** Copies the lists. */
  public QuantizationModifier {
    rules = List.copyOf(rules);
    ignore = List.copyOf(ignore);
    if (rules.isEmpty() && cache.isEmpty()) {
      throw new IllegalArgumentException("a modifier without rules and cache");
    }
  }

  /** The same rules, which leave more alone. */
  public QuantizationModifier withIgnore(List<String> all) {
    return new QuantizationModifier(rules, all, cache);
  }

  /** The same with other rules. */
  public QuantizationModifier withRules(List<RecipeRule> others) {
    return new QuantizationModifier(others, ignore, cache);
  }
}
