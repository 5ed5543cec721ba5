package dev.quern.pipeline;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.ModuleClass;
import dev.quern.formats.compressedtensors.ModulePattern;
import dev.quern.formats.compressedtensors.ModuleRef;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.recipe.Recipe;
import dev.quern.formats.recipe.RecipeMatcher;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;

/** What is asked of targets and {@code ignore}: they can be read, and they match something. */
final class Patterns {
  private static final String LM_HEAD = "lm_head";

  private Patterns() {}

  /**
   * The recipe's matcher. {@code lm_head} stays as it is unless a target names it.
   *
   * @throws QuernException when a pattern cannot be read
   */
  static RecipeMatcher matcher(CompressionOptions options) {
    Recipe recipe = options.recipe();
    requireReadable(recipe.origin(), recipe.targets());
    requireReadable(recipe.origin(), recipe.ignore());
    requireReadable("--ignore", options.ignore());
    return RecipeMatcher.of(recipe, alsoIgnored(options));
  }

  /** What is ignored beside what the recipe's modifiers ignore. */
  static List<String> alsoIgnored(CompressionOptions options) {
    LinkedHashSet<String> ignore = new LinkedHashSet<>();
    if (options.recipe().targets().stream().noneMatch(target -> target.contains(LM_HEAD))) {
      ignore.add(LM_HEAD);
    }
    ignore.addAll(options.ignore());
    return List.copyOf(ignore);
  }

  private static void requireReadable(String origin, List<String> patterns) {
    for (String pattern : patterns) {
      try {
        ModulePattern.parse(pattern);
      } catch (CheckpointException e) {
        throw new QuernException(
            QuernException.Kind.REQUEST, origin + " " + pattern, e.problem(), e.remedy());
      }
    }
  }

  /**
   * Refuses targets that match nothing.
   *
   * @return warnings for ignored modules that are not there
   */
  static List<String> check(
      RecipeMatcher matcher,
      CompressionOptions options,
      List<ModuleRef> modules,
      HuggingFaceCheckpoint checkpoint) {
    List<String> unusedTargets = matcher.unusedTargets(modules);
    if (unusedTargets.equals(List.of(ModuleClass.LINEAR))) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          checkpoint.directory().toString(),
          "there is no module of class Linear: no matrix of BF16, F16 or F32 that is not an"
              + " embedding or a norm",
          "See what its tensors are with 'quern inspect', or give --targets.");
    }
    if (!unusedTargets.isEmpty()) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          options.recipe().origin() + " " + String.join(", ", unusedTargets),
          "matches no module of " + checkpoint.directory(),
          "Module names are listed by 'quern inspect'; patterns begin with 're:'.");
    }
    List<String> warnings = new ArrayList<>();
    keptHead(options, modules).ifPresent(warnings::add);
    for (String unused : matcher.unusedIgnores(modules)) {
      if (options.ignore().contains(unused)) {
        warnings.add("--ignore " + unused + " matches no module; is it misspelt?");
      } else if (options.recipe().ignore().contains(unused) && !unused.equals(LM_HEAD)) {
        warnings.add(
            options.recipe().origin() + " ignores " + unused + ", which matches no module");
      }
    }
    return warnings;
  }

  /** A recipe that llm-compressor would apply to the head, too, is applied without it here. */
  private static Optional<String> keptHead(CompressionOptions options, List<ModuleRef> modules) {
    ModuleRef head = new ModuleRef(LM_HEAD, ModuleClass.LINEAR);
    boolean kept =
        !options.recipe().origin().startsWith("--")
            && modules.contains(head)
            && alsoIgnored(options).contains(LM_HEAD)
            && !options.ignore().contains(LM_HEAD)
            && anyMatches(options.recipe().targets(), head)
            && !anyMatches(options.recipe().ignore(), head);
    return kept
        ? Optional.of(
            "lm_head stays as it is, although "
                + options.recipe().origin()
                + " does not ignore it; add it to the targets to quantize it")
        : Optional.empty();
  }

  private static boolean anyMatches(List<String> patterns, ModuleRef module) {
    return patterns.stream()
        .map(ModulePattern::parse)
        .anyMatch(p -> p.matchesName(module.name()) || p.matchesClass(module.className()));
  }
}
