package dev.quern.formats.recipe;

import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * What is to be done to a checkpoint: which modules get which scheme.
 *
 * @param origin where its patterns stand, for messages: an option such as {@code --targets}, or a
 *     file
 * @param modifiers at least one; no module may be claimed by two of them in different ways
 */
public record Recipe(String origin, List<QuantizationModifier> modifiers) {
  /** Copies the list. */
  public Recipe {
    modifiers = List.copyOf(modifiers);
    if (modifiers.isEmpty()) {
      throw new IllegalArgumentException("a recipe without modifiers");
    }
  }

  /** A recipe of one modifier that ignores nothing. */
  public static Recipe of(String origin, List<RecipeRule> rules) {
    return new Recipe(origin, List.of(new QuantizationModifier(rules, List.of())));
  }

  /** All rules of all modifiers, in order. */
  public List<RecipeRule> rules() {
    return modifiers.stream().flatMap(modifier -> modifier.rules().stream()).toList();
  }

  /** All targets of all rules, in order. */
  public List<String> targets() {
    return rules().stream().flatMap(rule -> rule.targets().stream()).toList();
  }

  /** What any modifier ignores, each entry once. */
  public List<String> ignore() {
    return modifiers.stream().flatMap(m -> m.ignore().stream()).distinct().toList();
  }

  /** This recipe with modifiers that ignore these modules, too. */
  public Recipe alsoIgnoring(List<String> more) {
    return new Recipe(
        origin,
        modifiers.stream()
            .map(
                m ->
                    m.withIgnore(
                        Stream.concat(m.ignore().stream(), more.stream()).distinct().toList()))
            .toList());
  }

  /** This recipe with each rule changed. */
  public Recipe withRules(UnaryOperator<RecipeRule> change) {
    return new Recipe(
        origin,
        modifiers.stream().map(m -> m.withRules(m.rules().stream().map(change).toList())).toList());
  }
}
