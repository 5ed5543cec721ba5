package dev.quern.pipeline.report;

import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** {@code report.json}; its schema is {@code docs/report.schema.json}. */
public final class JsonReport {
  /** Name of the file in the output. */
  public static final String FILE = "report.json";

  private static final String SCHEMA = "report-1";

  private JsonReport() {}

  /** The whole document, with a newline at the end. */
  public static String of(Report report) {
    Json.Obj root =
        Json.Obj.empty()
            .with("schema", Json.of(SCHEMA))
            .with("quern", Json.of(report.quern()))
            .with("model", Json.of(report.model()));
    Json.Obj schemes = Json.Obj.empty();
    for (Map.Entry<String, Long> scheme : report.schemes().entrySet()) {
      schemes = schemes.with(scheme.getKey(), Json.of(scheme.getValue()));
    }
    List<Json> layers = new ArrayList<>();
    report
        .layers()
        .forEach(
            (layer, kinds) ->
                kinds.forEach(
                    (kind, cell) ->
                        layers.add(
                            cell(cell)
                                .with("kind", Json.of(kind))
                                .with("layer", layer < 0 ? Json.Null.NULL : Json.of(layer)))));
    List<Json> kept = new ArrayList<>();
    for (KeptTensors tensors : report.kept()) {
      kept.add(
          Json.Obj.empty()
              .with("reason", Json.of(tensors.reason()))
              .with("fate", Json.of(tensors.fate()))
              .with("tensors", Json.of(tensors.tensors()))
              .with("bytes", Json.of(tensors.bytes()))
              .with("example", Json.of(tensors.example())));
    }
    root =
        root.with("schemes", schemes)
            .with("bytes_before", Json.of(report.bytesBefore()))
            .with("bytes_after", Json.of(report.bytesAfter()))
            .with("error", deviation(report.whole()))
            .with("layers", Json.of(layers))
            .with("modules", Json.of(report.modules().stream().map(JsonReport::module).toList()))
            .with("kept", Json.of(kept))
            .with("warnings", strings(report.warnings()))
            .with("notes", strings(report.notes()))
            .with("recipe", Json.of(report.recipe()));
    return JsonWriter.pretty(root) + "\n";
  }

  private static Json.Obj cell(Report.Cell cell) {
    return Json.Obj.empty()
        .with("modules", Json.of(cell.modules()))
        .with("bytes_before", Json.of(cell.bytesBefore()))
        .with("bytes_after", Json.of(cell.bytesAfter()))
        .with("error", deviation(cell.deviation()));
  }

  private static Json module(ModuleResult module) {
    Json.Obj facts = Json.Obj.empty();
    for (ModuleResult.Fact fact : module.facts()) {
      facts = facts.with(fact.name(), number(fact.value()));
    }
    return Json.Obj.empty()
        .with("name", Json.of(module.name()))
        .with("scheme", Json.of(module.scheme()))
        .with("bytes_before", Json.of(module.bytesBefore()))
        .with("bytes_after", Json.of(module.bytesAfter()))
        .with("error", deviation(module.deviation()))
        .with("solver", facts);
  }

  private static Json deviation(Deviation deviation) {
    return Json.Obj.empty()
        .with("weights", Json.of(deviation.weights()))
        .with("mean_relative_error", number(deviation.meanRelativeError()))
        .with("worst_relative_error", number(deviation.worstRelativeError()))
        .with("signal_to_noise_db", number(deviation.signalToNoiseDb()));
  }

  /** JSON has no infinity and no NaN. */
  private static Json number(double value) {
    return Double.isFinite(value) ? Json.of(value) : Json.Null.NULL;
  }

  private static Json strings(List<String> texts) {
    return Json.of(texts.stream().map(Json::of).toList());
  }
}
