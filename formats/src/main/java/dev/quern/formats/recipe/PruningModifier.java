package dev.quern.formats.recipe;

import java.util.List;

/**
 * One way of making weights zero, with the modules that it is for. Modifiers of this kind come
 * before those that quantize.
 *
 * @param choice how
 * @param targets at least one: module names, {@code re:} patterns and class names
 * @param ignore the same, of what stays as it is
 */
public record PruningModifier(SparsityChoice choice, List<String> targets, List<String> ignore) {
  /** Copies the lists. */
  public PruningModifier {
    targets = List.copyOf(targets);
    ignore = List.copyOf(ignore);
    if (targets.isEmpty()) {
      throw new IllegalArgumentException("a modifier without targets");
    }
  }

  /** The same, which leaves more alone. */
  public PruningModifier withIgnore(List<String> all) {
    return new PruningModifier(choice, targets, all);
  }
}
