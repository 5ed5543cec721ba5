package dev.quern.pipeline;

import dev.quern.pipeline.calibration.SolveReport;
import dev.quern.pipeline.report.Deviation;
import dev.quern.pipeline.report.HtmlReport;
import dev.quern.pipeline.report.JsonReport;
import dev.quern.pipeline.report.KeptTensors;
import dev.quern.pipeline.report.ModuleResult;
import dev.quern.pipeline.report.Report;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** From a plan and what was measured to the two reports beside the model. */
final class Reports {
  private Reports() {}

  /** Writes both files. */
  static void write(
      Path folder,
      CompressionPlan plan,
      SortedMap<String, Deviation> errors,
      Optional<Calibration> calibration)
      throws IOException {
    Report report = of(plan, errors, calibration.map(Calibration::solves).orElse(List.of()));
    Files.writeString(
        folder.resolve(JsonReport.FILE), JsonReport.of(report), StandardCharsets.UTF_8);
    Files.writeString(
        folder.resolve(HtmlReport.FILE), HtmlReport.of(report), StandardCharsets.UTF_8);
  }

  static Report of(
      CompressionPlan plan, SortedMap<String, Deviation> errors, List<SolveReport> solves) {
    Map<String, List<ModuleResult.Fact>> facts = new HashMap<>();
    for (SolveReport solve : solves) {
      List<ModuleResult.Fact> found =
          List.of(
              new ModuleResult.Fact("loss", solve.loss()),
              new ModuleResult.Fact("dampening", solve.dampening()));
      solve.modules().forEach(module -> facts.put(module, found));
    }
    SortedMap<String, Long> schemes = new TreeMap<>();
    List<ModuleResult> modules = new ArrayList<>();
    Map<List<String>, KeptTensors> kept = new LinkedHashMap<>();
    for (TensorPlan tensor : plan.tensors()) {
      if (tensor.scheme().isPresent()) {
        String scheme = schemeName(tensor);
        schemes.merge(scheme, 1L, Long::sum);
        modules.add(
            new ModuleResult(
                tensor.module(),
                scheme,
                tensor.bytesBefore(),
                tensor.bytesAfter(),
                errors.getOrDefault(tensor.module(), Deviation.NONE),
                facts.getOrDefault(tensor.module(), List.of())));
      } else {
        keep(kept, tensor.reason(), tensor.fate(), tensor.bytesAfter(), tensor.name());
      }
    }
    for (DroppedTensor dropped : plan.dropped()) {
      keep(kept, dropped.reason(), "drop", dropped.bytes(), dropped.name());
    }
    List<KeptTensors> sorted = new ArrayList<>(kept.values());
    sorted.sort(
        Comparator.comparingLong((KeptTensors k) -> -k.bytes()).thenComparing(KeptTensors::reason));
    String version = Quern.class.getPackage().getImplementationVersion();
    Path model = plan.options().model().toAbsolutePath().normalize();
    return new Report(
        Objects.requireNonNullElse(version, "from its classes"),
        Objects.toString(model.getFileName(), "/"),
        schemes,
        plan.bytesBefore(),
        plan.bytesAfter(),
        modules,
        sorted,
        plan.warnings(),
        List.of(),
        plan.recipe());
  }

  /** The scheme's name, as the rule says it. */
  private static String schemeName(TensorPlan tensor) {
    String rule = tensor.rule().orElse("quantized");
    int target = rule.indexOf(':');
    return target < 0 ? rule : rule.substring(0, target);
  }

  private static void keep(
      Map<List<String>, KeptTensors> kept, String reason, String fate, long bytes, String name) {
    kept.merge(
        List.of(reason, fate),
        new KeptTensors(reason, fate, 1, bytes, name),
        (a, b) ->
            new KeptTensors(reason, fate, a.tensors() + 1, a.bytes() + b.bytes(), a.example()));
  }
}
