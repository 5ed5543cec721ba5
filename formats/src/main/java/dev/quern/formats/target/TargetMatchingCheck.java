package dev.quern.formats.target;

import dev.quern.formats.compressedtensors.ModuleClass;
import dev.quern.formats.compressedtensors.ModulePattern;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * vLLM finds the scheme that a module was quantized with.
 *
 * <p>It looks in another order than compressed-tensors does: the first target, in the order of the
 * groups, that fits the module's name; else the first that is a part of the class name; and only
 * then, for a fused module, the targets that fit the names of its parts. So a class such as {@code
 * Linear} takes a fused module away from a pattern that knows the parts only. Routed experts are
 * looked for by the names of their parts.
 *
 * <p>Source: vLLM, {@code compressed_tensors/utils.py}, {@code find_matched_target}.
 */
final class TargetMatchingCheck implements EngineCheck {
  /** Classes of vLLM, by what they are made of. */
  private static final String FUSED_CLASS = "QKVParallelLinear";

  private static final String LINEAR_CLASS = "ColumnParallelLinear";

  private record Target(ModulePattern pattern, QuantizationScheme scheme) {}

  @Override
  public List<Finding> check(ServedModel model) {
    List<Target> targets = new ArrayList<>();
    for (QuantizationScheme scheme : model.config().configGroups().values()) {
      scheme.targets().forEach(t -> targets.add(new Target(ModulePattern.parse(t), scheme)));
    }
    Map<String, ServedModel.Fused> fusedOf = new LinkedHashMap<>();
    model.fused().stream()
        .filter(f -> !f.parts().getFirst().isRoutedExpert())
        .forEach(f -> f.parts().forEach(part -> fusedOf.put(part.name(), f)));
    List<Finding> findings = new ArrayList<>();
    for (ServedModule module : model.modules()) {
      ServedModel.Fused fused = fusedOf.get(module.name());
      boolean first = fused == null || fused.parts().getFirst().equals(module);
      if (module.scheme().isPresent() && first && module.className().equals(ModuleClass.LINEAR)) {
        Optional<QuantizationScheme> found =
            fused == null
                ? byName(targets, module.name()).or(() -> byClass(targets, LINEAR_CLASS))
                : ofFused(targets, fused);
        if (!found.equals(module.scheme())) {
          findings.add(finding(fused == null ? module.name() : fused.name(), module, found));
        }
      }
    }
    return findings;
  }

  private static Optional<QuantizationScheme> ofFused(
      List<Target> targets, ServedModel.Fused fused) {
    return byName(targets, fused.name())
        .or(() -> byClass(targets, FUSED_CLASS))
        .or(() -> byParts(targets, fused));
  }

  private static Optional<QuantizationScheme> byName(List<Target> targets, String name) {
    return targets.stream()
        .filter(target -> target.pattern().matchesName(name))
        .map(Target::scheme)
        .findFirst();
  }

  private static Optional<QuantizationScheme> byClass(List<Target> targets, String className) {
    String lower = className.toLowerCase(Locale.ROOT);
    return targets.stream()
        .filter(
            target ->
                target.pattern().isRegex()
                    ? target.pattern().matchesName(className)
                    : lower.contains(target.pattern().text().toLowerCase(Locale.ROOT)))
        .map(Target::scheme)
        .findFirst();
  }

  /** All parts must have a target; that of the first counts. */
  private static Optional<QuantizationScheme> byParts(
      List<Target> targets, ServedModel.Fused fused) {
    boolean all = fused.parts().stream().allMatch(p -> byName(targets, p.name()).isPresent());
    return all ? byName(targets, fused.parts().getFirst().name()) : Optional.empty();
  }

  private static Finding finding(
      String name, ServedModule module, Optional<QuantizationScheme> found) {
    String own = String.join(", ", module.scheme().orElseThrow().targets());
    if (found.isEmpty()) {
      return Finding.refused(
          name,
          "vLLM finds no scheme for it, because the targets " + own + " do not fit its name",
          "Add the fused name to the targets, for example re:.*\\.(qkv|gate_up)_proj.");
    }
    String taken = String.join(", ", found.get().targets());
    boolean byClass =
        found.get().targets().stream()
            .map(ModulePattern::parse)
            .noneMatch(target -> target.matchesName(name));
    return Finding.refused(
        name,
        "vLLM would take the scheme of " + taken + " for it instead of that of " + own,
        byClass
            ? "Write patterns instead of classes, or add the fused name to the targets, for example"
                + " re:.*\\.(q|k|v|qkv)_proj."
            : "vLLM goes by the first group whose target fits: make " + taken
                + " leave this name out, for example with (?!...).");
  }
}
