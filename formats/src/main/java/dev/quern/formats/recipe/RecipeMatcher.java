package dev.quern.formats.recipe;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.ModuleMatcher;
import dev.quern.formats.compressedtensors.ModulePattern;
import dev.quern.formats.compressedtensors.ModuleRef;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;

/**
 * Finds the rule of a module in a recipe.
 *
 * <p>Within a modifier, a target that is the module's name goes before a {@code re:} expression,
 * and that before a class name; {@code ignore} goes before all. Two rules that claim a module with
 * different schemes by targets of the same kind, or from two modifiers, are refused: the reference
 * takes one of them by the alphabet, or the later one, without a word.
 *
 * <p>Source: compressed-tensors 0.18, {@code utils/match.py}.
 */
public final class RecipeMatcher {
  /**
   * A module's rule.
   *
   * @param rule the rule
   * @param target which of its targets decided
   */
  public record Claim(RecipeRule rule, String target) {
    /** The claim as the command line's {@code --scheme} would write it. */
    public String text() {
      return rule.label() + ":" + target;
    }
  }

  private enum Kind {
    NAME,
    REGEX,
    CLASS
  }

  private record Candidate(Kind kind, Claim claim) {}

  private record Entry(ModulePattern pattern, RecipeRule rule) {}

  private record Part(List<Entry> entries, ModuleMatcher matcher) {}

  private final String origin;
  private final List<Part> parts = new ArrayList<>();

  private RecipeMatcher(Recipe recipe, Collection<String> alsoIgnored) {
    origin = recipe.origin();
    for (QuantizationModifier modifier : recipe.modifiers()) {
      List<Entry> entries = new ArrayList<>();
      for (RecipeRule rule : modifier.rules()) {
        rule.targets().forEach(t -> entries.add(new Entry(ModulePattern.parse(t), rule)));
      }
      LinkedHashSet<String> ignore = new LinkedHashSet<>(alsoIgnored);
      ignore.addAll(modifier.ignore());
      List<String> targets = entries.stream().map(entry -> entry.pattern().text()).toList();
      parts.add(new Part(List.copyOf(entries), ModuleMatcher.of(targets, ignore)));
    }
  }

  /**
   * A matcher for a recipe.
   *
   * @param alsoIgnored what every modifier ignores beside its own
   * @throws CheckpointException when an expression is not usable
   */
  public static RecipeMatcher of(Recipe recipe, Collection<String> alsoIgnored) {
    return new RecipeMatcher(recipe, alsoIgnored);
  }

  /**
   * The rule for this module; empty when no target matches, or it is ignored.
   *
   * @throws CheckpointException when two rules claim it with different schemes
   */
  public Optional<Claim> claim(ModuleRef module) {
    Claim found = null;
    for (Part part : parts) {
      Optional<Claim> claim = claim(part, module);
      if (found == null) {
        found = claim.orElse(null);
      } else if (claim.isPresent()) {
        refuseTwo(module, found, claim.get());
      }
    }
    return Optional.ofNullable(found);
  }

  private Optional<Claim> claim(Part part, ModuleRef module) {
    if (part.matcher().ignoredBy(module).isPresent()) {
      return Optional.empty();
    }
    List<Candidate> candidates = candidates(part, module);
    for (Candidate other : candidates) {
      if (other.kind() == candidates.getFirst().kind()) {
        refuseTwo(module, candidates.getFirst().claim(), other.claim());
      }
    }
    return candidates.stream().map(Candidate::claim).findFirst();
  }

  /** Best first; ties by the target's text, as readers of the configuration sort them. */
  private static List<Candidate> candidates(Part part, ModuleRef module) {
    List<Candidate> candidates = new ArrayList<>();
    for (Entry entry : part.entries()) {
      ModulePattern pattern = entry.pattern();
      Claim claim = new Claim(entry.rule(), pattern.text());
      if (pattern.matchesName(module.name())) {
        candidates.add(new Candidate(pattern.isRegex() ? Kind.REGEX : Kind.NAME, claim));
      } else if (pattern.matchesClass(module.className())) {
        candidates.add(new Candidate(Kind.CLASS, claim));
      }
    }
    candidates.sort(Comparator.comparing(Candidate::kind).thenComparing(c -> c.claim().target()));
    return candidates;
  }

  private void refuseTwo(ModuleRef module, Claim one, Claim other) {
    if (!one.rule().sameNumbers(other.rule())) {
      throw new CheckpointException(
          origin,
          "two rules for one layer: "
              + module.name()
              + " is claimed by "
              + one.text()
              + " and by "
              + other.text(),
          "Make the targets exclude each other, or name the layer in full in one of them.");
    }
  }

  /** The first {@code ignore} entry that keeps this module from every rule. */
  public Optional<String> ignoredBy(ModuleRef module) {
    return parts.stream().flatMap(p -> p.matcher().ignoredBy(module).stream()).findFirst();
  }

  /** Targets that match none of these modules, ignored or not: probably misspelt. */
  public List<String> unusedTargets(Collection<ModuleRef> modules) {
    return parts.stream().flatMap(p -> p.matcher().unusedTargets(modules).stream()).toList();
  }

  /** {@code ignore} entries that match none of these modules: probably misspelt. */
  public List<String> unusedIgnores(Collection<ModuleRef> modules) {
    return parts.stream()
        .flatMap(part -> part.matcher().unusedIgnores(modules).stream())
        .distinct()
        .toList();
  }
}
