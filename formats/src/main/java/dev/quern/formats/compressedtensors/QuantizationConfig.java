package dev.quern.formats.compressedtensors;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.Json;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The {@code quantization_config} of a config.json: how a whole checkpoint is compressed.
 *
 * @param configGroups schemes by group name, in order
 * @param format the groups' common format, mixed-precision when they differ, dense when there are
 *     none
 * @param globalCompressionRatio kept for old files; written as null by everybody today
 * @param ignore names, {@code re:} patterns and classes of modules that are not quantized
 * @param kvCacheScheme how keys and values are stored while the model runs; empty for the model's
 *     dtype
 * @param quantizationStatus how far the model has come
 * @param sparsityConfig always empty today: the sparse formats are gone
 * @param transformConfig rotations and the like that were applied, empty for none
 * @param version compressed-tensors version of the writer, empty when the file does not say
 */
public record QuantizationConfig(
    Map<String, QuantizationScheme> configGroups,
    CompressionFormat format,
    Optional<Json.Num> globalCompressionRatio,
    List<String> ignore,
    Optional<QuantizationArgs> kvCacheScheme,
    QuantizationStatus quantizationStatus,
    Json.Obj sparsityConfig,
    Json.Obj transformConfig,
    Optional<String> version) {
  /** The {@code quant_method} by which vLLM and transformers know this format. */
  public static final String QUANT_METHOD = "compressed-tensors";

  /**
   * The compressed-tensors version whose files ours equal, under the name that it writes itself:
   * the 0.18.1 line, in which packed 3-, 5-, 6- and 7-bit integers straddle words and the sparse
   * formats are gone.
   */
  public static final String FORMAT_VERSION = "0.18.1a0";

  /** Copies the groups and the list, so that a configuration never changes. */
  public QuantizationConfig {
    configGroups = Collections.unmodifiableMap(new LinkedHashMap<>(configGroups));
    ignore = List.copyOf(ignore);
  }

  /** Starts a finished checkpoint's configuration. */
  public static Builder builder() {
    return new Builder();
  }

  /** All keys, sorted, exactly as compressed-tensors writes them: absent values as null or {}. */
  public Json.Obj toJson() {
    return QuantizationConfigJson.write(this);
  }

  /**
   * Reads the value of {@code quantization_config}. Unknown keys at the top are ignored, unknown
   * keys within groups and arguments are refused.
   *
   * @throws CheckpointException when it is not a valid compressed-tensors configuration
   */
  public static QuantizationConfig fromJson(Json.Obj json) {
    return QuantizationConfigJson.read(json);
  }

  /**
   * Looks in a model's config.json: {@code quantization_config}, then {@code
   * text_config.quantization_config}, then {@code compression_config}.
   *
   * @return empty when the model is not quantized
   * @throws CheckpointException as {@link #fromJson}
   */
  public static Optional<QuantizationConfig> ofModel(Json.Obj modelConfig) {
    return modelConfig
        .object("quantization_config")
        .or(() -> modelConfig.object("text_config").flatMap(t -> t.object("quantization_config")))
        .or(() -> modelConfig.object("compression_config"))
        .map(QuantizationConfig::fromJson);
  }

  /** The distinct formats of the groups, in order. */
  public List<CompressionFormat> formats() {
    return configGroups.values().stream()
        .map(QuantizationScheme::formatOrDefault)
        .distinct()
        .toList();
  }

  /** Collects what was quantized, module by module in the order of the model. */
  public static final class Builder {
    private final LinkedHashSet<QuantizationScheme> schemes = new LinkedHashSet<>();
    private List<String> ignore = List.of();
    private QuantizationArgs kvCacheScheme;
    private QuantizationStatus status = QuantizationStatus.COMPRESSED;
    private Json.Obj transformConfig = Json.Obj.empty();

    private Builder() {}

    /**
     * Notes that a module has this scheme. Equal schemes form one group; groups are numbered by
     * first appearance, so call this in model order. A scheme without a format gets the one for a
     * Linear.
     */
    public Builder add(QuantizationScheme scheme) {
      schemes.add(scheme.withFormat(scheme.formatOrDefault()));
      return this;
    }

    /** What {@link IgnoreList} found, or patterns. */
    public Builder ignore(List<String> ignore) {
      this.ignore = List.copyOf(ignore);
      return this;
    }

    /** How keys and values are cached; not set for the model's dtype. */
    public Builder kvCacheScheme(QuantizationArgs kvCacheScheme) {
      this.kvCacheScheme = kvCacheScheme;
      return this;
    }

    /** How far the model has come; compressed when not set. */
    public Builder quantizationStatus(QuantizationStatus status) {
      this.status = status;
      return this;
    }

    /** Transforms that were applied, as compressed-tensors describes them. */
    public Builder transformConfig(Json.Obj transformConfig) {
      this.transformConfig = transformConfig;
      return this;
    }

    /** Numbers the groups and derives the format of the whole. */
    public QuantizationConfig build() {
      LinkedHashMap<String, QuantizationScheme> groups = new LinkedHashMap<>();
      List<CompressionFormat> formats = new ArrayList<>();
      for (QuantizationScheme scheme : schemes) {
        groups.put("group_" + groups.size(), scheme);
        formats.add(scheme.formatOrDefault());
      }
      return new QuantizationConfig(
          groups,
          CompressionFormat.global(formats),
          Optional.empty(),
          ignore,
          Optional.ofNullable(kvCacheScheme),
          status,
          Json.Obj.empty(),
          transformConfig,
          Optional.of(FORMAT_VERSION));
    }
  }
}
