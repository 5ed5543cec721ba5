package dev.quern.formats.target;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** All rules that this version knows. */
public final class EngineChecks {
  private static final List<EngineCheck> ALL =
      List.of(
          new FusedSchemesCheck(),
          new TargetMatchingCheck(),
          new SchemeCheck(),
          new ExpertsCheck(),
          new EmbeddingCheck(),
          new HeadsCheck(),
          new PartitionCheck(),
          new KernelShapeCheck());

  /** Modules that a finding names in full. */
  private static final int NAMED = 3;

  private EngineChecks() {}

  /**
   * What engines will not like about a model. Findings that differ in the module only are one, which
   * names the first modules and counts the others.
   */
  public static List<Finding> run(ServedModel model) {
    Map<Finding, List<String>> modules = new LinkedHashMap<>();
    for (EngineCheck check : ALL) {
      for (Finding finding : check.check(model)) {
        Finding any = new Finding(finding.severity(), "", finding.problem(), finding.remedy());
        modules.computeIfAbsent(any, _ -> new ArrayList<>()).add(finding.module());
      }
    }
    List<Finding> all = new ArrayList<>();
    modules.forEach(
        (any, names) ->
            all.add(
                new Finding(any.severity(), countedName(names), any.problem(), any.remedy())));
    return List.copyOf(all);
  }

  private static String countedName(List<String> names) {
    int more = names.size() - NAMED;
    return String.join(", ", names.subList(0, Math.min(NAMED, names.size())))
        + (more > 0 ? " and " + more + " more" : "");
  }
}
