package dev.quern.pipeline.model;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.Json;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The table of decoders that a forward pass is known for: a row for each, whose columns are what
 * cannot be read from its configuration or the names of its tensors.
 */
enum Architecture {
  LLAMA("Llama 2/3.x, SmolLM", Norms.BEFORE, Windows.NEVER, "llama"),
  SMOLLM3("SmolLM3", Norms.BEFORE, Windows.BY_LAYER_TYPES, "smollm3"),
  MISTRAL("Mistral", Norms.BEFORE, Windows.ALWAYS, "mistral"),
  MIXTRAL("Mixtral", Norms.BEFORE, Windows.ALWAYS, "mixtral", Trait.EXPERTS, Trait.NORMALISED),
  QWEN2("Qwen2/2.5", Norms.BEFORE, Windows.BY_LAYER_TYPES, "qwen2"),
  QWEN2_MOE("Qwen2-MoE", Norms.BEFORE, Windows.BY_LAYER_TYPES, "qwen2_moe", Trait.EXPERTS),
  QWEN3("Qwen3", Norms.BEFORE, Windows.BY_LAYER_TYPES, "qwen3"),
  QWEN3_MOE("Qwen3-MoE", Norms.BEFORE, Windows.BY_SWITCH, "qwen3_moe", Trait.EXPERTS),
  GEMMA2("Gemma 2", Norms.AROUND, Windows.BY_LAYER_TYPES, "gemma2", Trait.GEMMA),
  GEMMA3("Gemma 3 (text)", Norms.AROUND, Windows.BY_LAYER_TYPES, "gemma3_text", Trait.GEMMA),
  PHI3("Phi-3", Norms.BEFORE, Windows.ALWAYS, "phi3"),
  GRANITE("Granite", Norms.BEFORE, Windows.NEVER, "granite"),
  OLMO2("OLMo 2", Norms.AFTER, Windows.NEVER, "olmo2", Trait.NORM_ACROSS_HEADS);

  /** Where a layer has norms. */
  enum Norms {
    /** Before attention and feed-forward network. */
    BEFORE,
    /** After them. */
    AFTER,
    /** Before and after. */
    AROUND
  }

  /** Which layers have a sliding window. */
  enum Windows {
    NEVER,
    /** All, when there is a {@code sliding_window}. */
    ALWAYS,
    /** All, when {@code use_sliding_window} says so. */
    BY_SWITCH,
    /** Those that {@code layer_types} calls {@code sliding_attention}. */
    BY_LAYER_TYPES
  }

  /** What few have. */
  enum Trait {
    /** A mixture of experts. */
    EXPERTS,
    /** Weights of chosen experts are divided by their sum, whatever the configuration says. */
    NORMALISED,
    /** Norms with an offset, scaled embeddings, a configured scale of queries. */
    GEMMA,
    /** Norms of queries and keys take all heads together. */
    NORM_ACROSS_HEADS
  }

  private final String title;
  private final Norms norms;
  private final Windows windows;
  private final String modelType;
  private final Set<Trait> traits;

  Architecture(String title, Norms norms, Windows windows, String modelType, Trait... traits) {
    this.title = title;
    this.norms = norms;
    this.windows = windows;
    this.modelType = modelType;
    this.traits = Set.of(traits);
  }

  /**
   * The row for a configuration.
   *
   * @throws CheckpointException when there is none
   */
  static Architecture of(Json.Obj config) {
    String type = config.string("model_type").orElse("");
    return Arrays.stream(values())
        .filter(row -> row.modelType.equals(type))
        .findFirst()
        .orElseThrow(() -> unknown(config, type));
  }

  private static CheckpointException unknown(Json.Obj config, String type) {
    List<Architecture> all = List.of(values());
    return new CheckpointException(
        config.where(),
        "expected a model_type whose forward pass is known ("
            + all.stream().map(row -> row.modelType).collect(Collectors.joining(", "))
            + "), found "
            + (type.isEmpty() ? "none" : "\"" + type + "\""),
        "Calibration and evaluation work for "
            + all.stream().map(Architecture::title).collect(Collectors.joining(", "))
            + "; schemes without calibration work for any model: FP8_DYNAMIC, FP8_BLOCK, W8A8,"
            + " W8A16, W4A16, W4A16_ASYM, NVFP4A16, MXFP4A16 and MXFP8A16, rounded to nearest.");
  }

  /** For people. */
  String title() {
    return title;
  }

  Norms norms() {
    return norms;
  }

  Windows windows() {
    return windows;
  }

  boolean has(Trait trait) {
    return traits.contains(trait);
  }
}
