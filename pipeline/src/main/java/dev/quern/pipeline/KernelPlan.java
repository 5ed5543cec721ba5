package dev.quern.pipeline;

import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonWriter;
import dev.quern.formats.target.selection.Hazard;
import dev.quern.formats.target.selection.KernelDecision;
import dev.quern.formats.target.selection.KernelLayer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;

/**
 * Which kernel will run each layer of a checkpoint on each target.
 *
 * @param engine the engine and its version
 * @param scheme what was asked for or found, for people
 * @param rows one for each target and group of layers that are alike
 */
public record KernelPlan(String engine, String scheme, List<Row> rows) {
  /**
   * A group of layers on a target.
   *
   * @param target the target's name
   * @param names modules of the group, numbers as {@code *}
   * @param count how many layers
   * @param layer the first of them
   * @param bytes of the tensors of all in the checkpoint
   * @param decision what the engine does with each
   * @param maxTensorParallel the most ranks that can share it, 64 at most
   */
  public record Row(
      String target,
      List<String> names,
      int count,
      KernelLayer layer,
      long bytes,
      KernelDecision decision,
      int maxTensorParallel) {
    /** Bytes that all layers of the group are expected to need on one rank. */
    public long residentBytes() {
      return decision.residentBytes() * count;
    }

    /** Rows of each layer. */
    public long layerRows() {
      return layer.rows();
    }

    /** Columns of each layer. */
    public long layerColumns() {
      return layer.columns();
    }

    /** Whether a kernel is chosen that then fails. */
    public boolean fails() {
      return decision.kernel().isPresent() && !decision.works();
    }

    /** The kernel's name, or {@code refused}. */
    public String kernel() {
      return decision.kernelName().orElse("refused");
    }

    /** {@code native}, {@code weight_only}, {@code emulated} or {@code none}. */
    public String mode() {
      return decision.mode().name().toLowerCase(Locale.ROOT);
    }

    /** Sentences: why it is refused, why kernels before it are not taken, what to know. */
    public List<String> remarks() {
      List<String> remarks = new ArrayList<>();
      decision.refusal().ifPresent(why -> remarks.add("refused: " + why));
      if (decision.kernel().isPresent()) {
        decision.rejected().forEach(r -> remarks.add("not " + r.kernel() + ": " + r.detail()));
      }
      for (Hazard hazard : decision.hazards()) {
        remarks.add(
            hazard.severity().name().toLowerCase(Locale.ROOT)
                + " "
                + hazard.code()
                + ": "
                + hazard.says()
                + (hazard.fix().isEmpty() ? "" : ". " + hazard.fix()));
      }
      return remarks;
    }
  }

  /** Copies the list. */
  public KernelPlan {
    rows = List.copyOf(rows);
  }

  /** The same as a JSON document, with a newline at the end. */
  public String toJson() {
    return JsonWriter.pretty(
            Json.Obj.empty()
                .with("engine", Json.of(engine))
                .with("layers", Json.of(rows.stream().map(KernelPlan::json).toList()))
                .with("scheme", Json.of(scheme)))
        + "\n";
  }

  private static Json json(Row row) {
    KernelDecision decision = row.decision();
    return Json.Obj.empty()
        .with("bytes", Json.of(row.bytes()))
        .with("columns", Json.of(row.layer().columns()))
        .with("count", Json.of(row.count()))
        .with("fallbacks", strings(decision.fallbacks()))
        .with("hazards", Json.of(decision.hazards().stream().map(KernelPlan::json).toList()))
        .with("kernel", decision.kernelName().<Json>map(Json::of).orElse(Json.Null.NULL))
        .with("layout", decision.layout().<Json>map(Json::of).orElse(Json.Null.NULL))
        .with("max_tensor_parallel", Json.of(row.maxTensorParallel()))
        .with("mode", Json.of(row.mode()))
        .with("names", strings(row.names()))
        .with(
            "padded",
            Json.of(List.of(Json.of(decision.paddedRows()), Json.of(decision.paddedColumns()))))
        .with("parts", Json.of(row.layer().parts().stream().map(Json::of).toList()))
        .with("reasons", strings(decision.reasons()))
        .with("refusal", decision.refusal().<Json>map(Json::of).orElse(Json.Null.NULL))
        .with(
            "rejected",
            Json.of(
                decision.rejected().stream()
                    .map(
                        r ->
                            Json.Obj.empty()
                                .with("code", Json.of(r.code()))
                                .with("detail", Json.of(r.detail()))
                                .with("kernel", Json.of(r.kernel())))
                    .toList()))
        .with("resident_bytes", Json.of(row.residentBytes()))
        .with("role", Json.of(row.layer().role().name().toLowerCase(Locale.ROOT)))
        .with("rows", Json.of(row.layer().rows()))
        .with("target", Json.of(row.target()));
  }

  private static Json json(Hazard hazard) {
    Json.Obj environment = Json.Obj.empty();
    for (var entry : new TreeMap<>(hazard.environment()).entrySet()) {
      environment = environment.with(entry.getKey(), Json.of(entry.getValue()));
    }
    return Json.Obj.empty()
        .with("args", strings(hazard.args()))
        .with("code", Json.of(hazard.code()))
        .with("env", environment)
        .with("fix", Json.of(hazard.fix()))
        .with("says", Json.of(hazard.says()))
        .with("severity", Json.of(hazard.severity().name().toLowerCase(Locale.ROOT)));
  }

  private static Json strings(List<String> texts) {
    return Json.of(texts.stream().map(Json::of).toList());
  }
}
