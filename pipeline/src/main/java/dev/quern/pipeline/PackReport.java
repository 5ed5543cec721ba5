package dev.quern.pipeline;

import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonWriter;
import dev.quern.formats.safetensors.TensorSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What was packed.
 *
 * @param output the folder or archive that was made
 * @param modules number of modules by layout
 * @param kept quantized modules that stayed as they were, with the reason
 * @param bytesBefore bytes of all logical tensors
 * @param bytesAfter bytes of all tensors of the packed checkpoint
 * @param nanos time that it took
 */
public record PackReport(
    Path output,
    Map<String, Integer> modules,
    Map<String, String> kept,
    long bytesBefore,
    long bytesAfter,
    long nanos) {
  static PackReport of(Path output, PackPlan plan, long bytesBefore, long nanos) {
    Map<String, Integer> modules = new TreeMap<>();
    plan.modules().forEach(module -> modules.merge(module.layout().id(), 1, Integer::sum));
    long after =
        plan.files().values().stream().flatMap(List::stream).mapToLong(TensorSpec::bytes).sum();
    return new PackReport(output, modules, plan.kept(), bytesBefore, after, nanos);
  }

  /** The same as a JSON document, with a newline at the end. */
  public String toJson() {
    Map<String, Json> root = new LinkedHashMap<>();
    root.put("output", Json.of(output.toString()));
    Map<String, Json> counts = new LinkedHashMap<>();
    modules.forEach((id, count) -> counts.put(id, Json.of(count)));
    root.put("modules", Json.Obj.of(counts));
    List<Json> reasons = new ArrayList<>();
    kept.forEach(
        (name, reason) -> {
          Map<String, Json> entry = new LinkedHashMap<>();
          entry.put("name", Json.of(name));
          entry.put("reason", Json.of(reason));
          reasons.add(Json.Obj.of(entry));
        });
    root.put("kept", Json.of(reasons));
    root.put("bytes_before", Json.of(bytesBefore));
    root.put("bytes_after", Json.of(bytesAfter));
    root.put("seconds", Json.of(nanos / 1e9));
    return JsonWriter.pretty(Json.Obj.of(root)) + "\n";
  }
}
