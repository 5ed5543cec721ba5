package dev.quern.formats.recipe;

import dev.quern.formats.compressedtensors.QuantizationArgs;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * What is to be done to a checkpoint: which modules are pruned, and which get which scheme.
 *
 * @param origin where its patterns stand, for messages: an option such as {@code --targets}, or a
 *     file
 * @param pruning what comes first
 * @param modifiers at least one when nothing is pruned; no module may be claimed by two of them in
 *     different ways
 */
public record Recipe(
    String origin, List<PruningModifier> pruning, List<QuantizationModifier> modifiers) {
  /** Copies the lists. */
  public Recipe {
    pruning = List.copyOf(pruning);
    modifiers = List.copyOf(modifiers);
    if (modifiers.isEmpty() && pruning.isEmpty()) {
      throw new IllegalArgumentException("a recipe without modifiers");
    }
  }

  /** A recipe that prunes nothing. */
  public Recipe(String origin, List<QuantizationModifier> modifiers) {
    this(origin, List.of(), modifiers);
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
    return Stream.concat(
            pruning.stream().flatMap(m -> m.ignore().stream()),
            modifiers.stream().flatMap(m -> m.ignore().stream()))
        .distinct()
        .toList();
  }

  /** This recipe with modifiers that ignore these modules, too. */
  public Recipe alsoIgnoring(List<String> more) {
    return new Recipe(
        origin,
        pruning.stream().map(m -> m.withIgnore(joined(m.ignore(), more))).toList(),
        modifiers.stream().map(m -> m.withIgnore(joined(m.ignore(), more))).toList());
  }

  private static List<String> joined(List<String> some, List<String> more) {
    return Stream.concat(some.stream(), more.stream()).distinct().toList();
  }

  /** This recipe with other pruning before it. */
  public Recipe withPruning(List<PruningModifier> others) {
    return new Recipe(origin, others, modifiers);
  }

  /** This recipe with each rule changed. */
  public Recipe withRules(UnaryOperator<RecipeRule> change) {
    return new Recipe(
        origin,
        pruning,
        modifiers.stream().map(m -> m.withRules(m.rules().stream().map(change).toList())).toList());
  }

  /** How keys and values are cached: what the last modifier says that says anything. */
  public Optional<QuantizationArgs> cache() {
    return modifiers.stream().flatMap(m -> m.cache().stream()).reduce((_, last) -> last);
  }

  /** This recipe with keys and values cached in this way. */
  public Recipe withCache(QuantizationArgs cache) {
    return new Recipe(
        origin,
        pruning,
        modifiers.stream()
            .map(m -> new QuantizationModifier(m.rules(), m.ignore(), Optional.of(cache)))
            .toList());
  }
}
