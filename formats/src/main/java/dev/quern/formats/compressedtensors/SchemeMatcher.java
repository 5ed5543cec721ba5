package dev.quern.formats.compressedtensors;

import dev.quern.formats.CheckpointException;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Finds the scheme of a module in a configuration or a recipe.
 *
 * <p>When two groups have the same target, the later one has it, as in the reference.
 */
public final class SchemeMatcher {
  private final Map<String, QuantizationScheme> schemeOfTarget = new HashMap<>();
  private final ModuleMatcher matcher;

  private SchemeMatcher(Collection<QuantizationScheme> schemes, Collection<String> ignore) {
    for (QuantizationScheme scheme : schemes) {
      scheme.targets().forEach(target -> schemeOfTarget.put(target, scheme));
    }
    matcher =
        ModuleMatcher.of(schemes.stream().flatMap(s -> s.targets().stream()).toList(), ignore);
  }

  /**
   * @throws CheckpointException when an expression is not usable
   */
  public static SchemeMatcher of(
      Collection<QuantizationScheme> schemes, Collection<String> ignore) {
    return new SchemeMatcher(List.copyOf(schemes), ignore);
  }

  /**
   * @throws CheckpointException when an expression is not usable
   */
  public static SchemeMatcher of(QuantizationConfig config) {
    return of(config.configGroups().values(), config.ignore());
  }

  /** The scheme of this module; empty when it stays as it is. */
  public Optional<QuantizationScheme> scheme(ModuleRef module) {
    return matcher.target(module).map(schemeOfTarget::get);
  }

  /** The matching behind it, for reasons and unused entries. */
  public ModuleMatcher matcher() {
    return matcher;
  }
}
