package dev.quern.formats.compressedtensors;

import static dev.quern.formats.compressedtensors.ConfigErrors.invalid;

import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** {@link QuantizationConfig} as config.json has it. */
final class QuantizationConfigJson {
  private QuantizationConfigJson() {}

  static Json.Obj write(QuantizationConfig config) {
    LinkedHashMap<String, Json> groups = new LinkedHashMap<>();
    config.configGroups().forEach((name, scheme) -> groups.put(name, scheme.toJson()));
    LinkedHashMap<String, Json> members = new LinkedHashMap<>();
    members.put("config_groups", Json.Obj.of(groups));
    members.put("format", Json.of(config.format().configName()));
    members.put(
        "global_compression_ratio",
        config.globalCompressionRatio().<Json>map(ratio -> ratio).orElse(Json.Null.NULL));
    members.put("ignore", Json.of(config.ignore().stream().map(Json::of).toList()));
    members.put("kv_cache_scheme", QuantizationScheme.argsOrNull(config.kvCacheScheme()));
    members.put("quant_method", Json.of(QuantizationConfig.QUANT_METHOD));
    members.put("quantization_status", Json.of(config.quantizationStatus().configName()));
    members.put("sparsity_config", config.sparsityConfig());
    members.put("transform_config", config.transformConfig());
    members.put("version", ArgsJson.textOrNull(config.version()));
    return Json.Obj.of(members);
  }

  static QuantizationConfig read(Json.Obj json) {
    ConfigReader in = new ConfigReader(json);
    checkMethod(in, json);
    checkSparsity(in, json);
    LinkedHashMap<String, QuantizationScheme> groups = new LinkedHashMap<>();
    json.object("config_groups")
        .map(Json.Obj::members)
        .orElse(Map.of())
        .forEach((name, group) -> groups.put(name, group(in, name, group)));
    CompressionFormat format =
        json.string("format")
            .map(name -> CompressionFormat.named(in.where("format"), name))
            .orElseGet(
                () ->
                    CompressionFormat.global(
                        groups.values().stream()
                            .map(QuantizationScheme::formatOrDefault)
                            .toList()));
    return new QuantizationConfig(
        groups,
        format,
        json.number("global_compression_ratio")
            .flatMap(_ -> json.find("global_compression_ratio"))
            .map(Json.Num.class::cast),
        in.strings("ignore"),
        in.object("kv_cache_scheme", QuantizationArgs::fromJson),
        in.constant("quantization_status", QuantizationStatus.class)
            .orElse(QuantizationStatus.INITIALIZED),
        json.object("sparsity_config").orElse(Json.Obj.empty()),
        json.object("transform_config").orElse(Json.Obj.empty()),
        json.string("version"));
  }

  /** A group is a scheme, or a list of targets under the name of a preset. */
  private static QuantizationScheme group(ConfigReader in, String name, Json group) {
    return switch (group) {
      case Json.Obj scheme -> QuantizationScheme.fromJson(scheme);
      case Json.Arr targets -> {
        String where = in.where("config_groups." + name);
        List<String> names = ConfigReader.strings(where, targets.items());
        yield PresetSchemes.named(where, name).scheme(names);
      }
      default ->
          throw invalid(
              in.where("config_groups." + name),
              "expected a scheme, or a list of targets under a preset's name, found "
                  + group.kind(),
              "Write for example {\"W8A8\": [\"Linear\"]}");
    };
  }

  private static void checkMethod(ConfigReader in, Json.Obj json) {
    Optional<String> method = json.string("quant_method");
    if (method.isPresent() && !method.get().equals(QuantizationConfig.QUANT_METHOD)) {
      throw invalid(
          in.where("quant_method"),
          "expected \"compressed-tensors\", found " + JsonWriter.quote(method.get()),
          "Start from the model before it was quantized");
    }
  }

  private static void checkSparsity(ConfigReader in, Json.Obj json) {
    Optional<String> format = json.object("sparsity_config").flatMap(s -> s.string("format"));
    if (format.isPresent() && !format.get().equals(CompressionFormat.DENSE.configName())) {
      // Throws with the reason that fits the name.
      CompressionFormat.named(in.where("sparsity_config.format"), format.get());
    }
  }
}
