package dev.quern.pipeline.calibration;

import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import dev.quern.formats.json.JsonWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * What a solver did.
 *
 * @param modules those that were solved as one matrix
 * @param loss half of what the change of the weights costs, with the Hessian {@code 2 / samples Σ x
 *     xᵀ}: the reference logs the same
 * @param dampening what was added to the Hessian's diagonal, in units of its mean; more than was
 *     asked for when the Hessian would not be factored otherwise
 * @param rounded whether nothing went through the modules, and they were rounded to nearest instead
 */
public record SolveReport(List<String> modules, double loss, float dampening, boolean rounded) {
  /** Copies the list. */
  public SolveReport {
    modules = List.copyOf(modules);
  }

  /** One line that {@link #ofText} reads. */
  String text() {
    return JsonWriter.compact(
        Json.Obj.empty()
            .with("modules", Json.of(modules.stream().map(Json::of).toList()))
            .with("loss", Json.of(Double.toString(loss)))
            .with("dampening", Json.of(Float.toString(dampening)))
            .with("rounded", Json.of(rounded)));
  }

  static SolveReport ofText(String text) {
    Json.Obj json =
        (Json.Obj) JsonReader.parse(text.getBytes(StandardCharsets.UTF_8), "a journal's report");
    return new SolveReport(
        json.array("modules").orElseThrow().stream().map(m -> ((Json.Str) m).value()).toList(),
        Double.parseDouble(json.string("loss").orElseThrow()),
        Float.parseFloat(json.string("dampening").orElseThrow()),
        json.bool("rounded").orElseThrow());
  }
}
