package dev.quern.formats.target;

import dev.quern.formats.compressedtensors.QuantizationScheme;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Modules that are fused have one scheme, or none of them has any. The routed experts of a layer
 * have one scheme among them.
 *
 * <p>Source: vLLM, {@code compressed_tensors/utils.py}, {@code should_ignore_layer}, and {@code
 * compressed_tensors_moe.py}.
 */
final class FusedSchemesCheck implements EngineCheck {
  private static final String EXPERTS = ".experts.";

  @Override
  public List<Finding> check(ServedModel model) {
    List<Finding> findings = new ArrayList<>();
    for (ServedModel.Fused fused : model.fused()) {
      if (fused.parts().stream().map(FusedSchemesCheck::numbers).distinct().count() > 1) {
        findings.add(
            Finding.refused(
                fused.name(),
                "vLLM fuses "
                    + String.join(", ", fused.parts().stream().map(ServedModule::last).toList())
                    + " into one matrix and takes one scheme for it, and they have different ones",
                "Give all of them the same scheme, or ignore all of them."));
      }
    }
    findings.addAll(experts(model));
    return findings;
  }

  private static List<Finding> experts(ServedModel model) {
    List<Finding> findings = new ArrayList<>();
    Map<String, Optional<QuantizationScheme>> first = new HashMap<>();
    Set<String> reported = new HashSet<>();
    for (ServedModule module : model.modules()) {
      int at = module.name().indexOf(EXPERTS);
      if (at >= 0) {
        String block = module.name().substring(0, at + EXPERTS.length() - 1);
        Optional<QuantizationScheme> known = first.putIfAbsent(block, numbers(module));
        if (known != null && !known.equals(numbers(module)) && reported.add(block)) {
          findings.add(
              Finding.refused(
                  block,
                  "vLLM takes one scheme for all experts of a layer, and they have different ones",
                  "Give all experts of a layer the same scheme, or ignore all of them."));
        }
      }
    }
    return findings;
  }

  /** The scheme apart from its targets. */
  private static Optional<QuantizationScheme> numbers(ServedModule module) {
    return module.scheme().map(scheme -> scheme.withTargets(List.of()));
  }
}
