package dev.quern.pipeline.source;

import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.json.Json;
import java.util.List;
import java.util.Optional;

/** The type that a model computes in, as its config.json says. */
public final class ModelType {
  /** transformers 5 writes the first, older ones the second. */
  private static final List<String> KEYS = List.of("dtype", "torch_dtype");

  private ModelType() {}

  /** The type; BF16 when the file says none that we know. */
  public static FloatType of(Json.Obj config) {
    return find(config)
        .or(() -> config.object("text_config").flatMap(ModelType::find))
        .orElse(FloatType.BF16);
  }

  private static Optional<FloatType> find(Json.Obj config) {
    for (String key : KEYS) {
      Optional<FloatType> type =
          config
              .find(key)
              .filter(Json.Str.class::isInstance)
              .flatMap(name -> named(((Json.Str) name).value()));
      if (type.isPresent()) {
        return type;
      }
    }
    return Optional.empty();
  }

  private static Optional<FloatType> named(String name) {
    return switch (name.startsWith("torch.") ? name.substring(6) : name) {
      case "bfloat16" -> Optional.of(FloatType.BF16);
      case "float16", "half" -> Optional.of(FloatType.F16);
      case "float32", "float" -> Optional.of(FloatType.F32);
      default -> Optional.empty();
    };
  }

  /** The name of a type in config.json. */
  public static String name(FloatType type) {
    return switch (type) {
      case BF16 -> "bfloat16";
      case F16 -> "float16";
      case F32 -> "float32";
    };
  }

  /** The same configuration with this type wherever it names one, and at the top in any case. */
  public static Json.Obj set(Json.Obj config, FloatType type) {
    Json.Obj result = replace(config, type);
    if (KEYS.stream().noneMatch(result::has)) {
      result = result.with(KEYS.get(1), Json.of(name(type)));
    }
    Optional<Json.Obj> text = result.object("text_config");
    return text.isPresent() ? result.with("text_config", replace(text.get(), type)) : result;
  }

  private static Json.Obj replace(Json.Obj config, FloatType type) {
    Json.Obj result = config;
    for (String key : KEYS) {
      if (config.has(key)) {
        result = result.with(key, Json.of(name(type)));
      }
    }
    return result;
  }
}
