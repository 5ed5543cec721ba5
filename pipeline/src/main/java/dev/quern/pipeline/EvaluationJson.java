package dev.quern.pipeline;

import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonWriter;
import java.util.List;
import java.util.OptionalDouble;

/** Reports of evaluations as JSON documents; names sorted, a newline at the end. */
final class EvaluationJson {
  private EvaluationJson() {}

  static String of(EvaluationReport report) {
    Json.Obj document =
        Json.Obj.empty()
            .with(
                "comparison",
                report.comparison().map(c -> comparison(report, c)).orElse(Json.Null.NULL))
            .with("left_out", Json.of(report.leftOut()))
            .with("model", model(report.options().model().toString(), report.model()))
            .with("notes", strings(report.notes()))
            .with("seconds", Json.of(report.nanos() / 1e9))
            .with("spilled_bytes", Json.of(report.spilledBytes()))
            .with("text", Json.of(report.options().text().toString()))
            .with("tokens", Json.of(report.tokens()))
            .with("window", Json.of(report.window()))
            .with("windows", Json.of(report.windows()));
    return JsonWriter.pretty(document) + "\n";
  }

  private static Json comparison(EvaluationReport report, EvaluationReport.Comparison comparison) {
    String source = report.options().against().orElseThrow().toString();
    return Json.Obj.empty()
        .with("kl_divergence", estimate(comparison.divergence()))
        .with("perplexity_ratio", estimate(comparison.perplexityRatio()))
        .with("source", model(source, comparison.source()))
        .with("top1_agreement", estimate(comparison.topOne()));
  }

  private static Json model(String folder, EvaluationReport.ModelScore score) {
    return Json.Obj.empty()
        .with("activations", Json.of(score.activations()))
        .with("folder", Json.of(folder))
        .with("loss", estimate(score.loss()))
        .with("perplexity", estimate(score.perplexity()))
        .with("weights", Json.of(score.weights()));
  }

  private static Json estimate(EvaluationReport.Estimate estimate) {
    OptionalDouble error = estimate.standardError();
    return Json.Obj.empty()
        .with("standard_error", error.isPresent() ? Json.of(error.getAsDouble()) : Json.Null.NULL)
        .with("value", Json.of(estimate.value()));
  }

  private static Json strings(List<String> values) {
    return Json.of(values.stream().map(Json::of).toList());
  }
}
