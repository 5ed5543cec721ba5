package dev.quern.formats.compressedtensors;

import dev.quern.formats.CheckpointException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Decides which target a module falls under, by the rules that the readers of compressed
 * checkpoints use.
 *
 * <p>{@code ignore} wins over everything. Among targets, names come first (sorted), then {@code
 * re:} expressions (sorted), then class names (sorted); the first that matches decides.
 *
 * <p>Source: compressed-tensors 0.18, {@code utils/match.py}.
 */
public final class ModuleMatcher {
  private final List<ModulePattern> targets;
  private final List<ModulePattern> ignore;
  private final Map<String, List<String>> fused;

  private ModuleMatcher(
      List<ModulePattern> targets, List<ModulePattern> ignore, Map<String, List<String>> fused) {
    this.targets = targets;
    this.ignore = ignore;
    this.fused = fused;
  }

  /**
   * A matcher for modules that fuse nothing.
   *
   * @throws CheckpointException when an expression is not usable
   */
  public static ModuleMatcher of(Collection<String> targets, Collection<String> ignore) {
    return of(targets, ignore, Map.of());
  }

  /**
   * A matcher for an engine that fuses modules.
   *
   * @param fused parts by fused suffix: {@code qkv_proj -> [q_proj, k_proj, v_proj]}
   * @throws CheckpointException when an expression is not usable
   */
  public static ModuleMatcher of(
      Collection<String> targets, Collection<String> ignore, Map<String, List<String>> fused) {
    // The order of precedence; the reference sorts by whether "re:" occurs anywhere, then by text.
    Comparator<String> names = Comparator.comparing((String target) -> target.contains("re:"));
    List<ModulePattern> sorted =
        targets.stream()
            .distinct()
            .sorted(names.thenComparing(Comparator.naturalOrder()))
            .map(ModulePattern::parse)
            .toList();
    return new ModuleMatcher(
        sorted, ignore.stream().distinct().map(ModulePattern::parse).toList(), Map.copyOf(fused));
  }

  /**
   * The target that decides this module's scheme; empty when none matches or the module is ignored.
   */
  public Optional<String> target(ModuleRef module) {
    return ignoredBy(module).isPresent() ? Optional.empty() : firstTarget(module);
  }

  private Optional<String> firstTarget(ModuleRef module) {
    return targets.stream()
        .filter(target -> target.matchesName(module.name(), fused))
        .findFirst()
        .or(() -> targets.stream().filter(t -> t.matchesClass(module.className())).findFirst())
        .map(ModulePattern::text);
  }

  /** The first {@code ignore} entry that matches this module. */
  public Optional<String> ignoredBy(ModuleRef module) {
    return ignore.stream()
        .filter(entry -> matches(entry, module))
        .findFirst()
        .map(ModulePattern::text);
  }

  /** Targets that match none of these modules, ignored or not: probably misspelt. */
  public List<String> unusedTargets(Collection<ModuleRef> modules) {
    return unused(targets, modules);
  }

  /** {@code ignore} entries that match none of these modules: probably misspelt. */
  public List<String> unusedIgnores(Collection<ModuleRef> modules) {
    return unused(ignore, modules);
  }

  private List<String> unused(List<ModulePattern> patterns, Collection<ModuleRef> modules) {
    List<String> unused = new ArrayList<>();
    for (ModulePattern pattern : patterns) {
      if (modules.stream().noneMatch(module -> matches(pattern, module))) {
        unused.add(pattern.text());
      }
    }
    return List.copyOf(unused);
  }

  private boolean matches(ModulePattern pattern, ModuleRef module) {
    return pattern.matchesName(module.name(), fused) || pattern.matchesClass(module.className());
  }
}
