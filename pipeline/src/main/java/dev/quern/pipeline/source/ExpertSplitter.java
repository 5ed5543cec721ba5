package dev.quern.pipeline.source;

import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.json.Json;
import dev.quern.formats.safetensors.TensorSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Takes fused experts apart: {@code X.experts.gate_up_proj} and {@code X.experts.down_proj}, one
 * tensor each for all experts of a layer, become {@code X.experts.N.gate_proj.weight}, {@code
 * up_proj} and {@code down_proj}, matrices {@code [out, in]}.
 *
 * <pre>
 *   as torch's Linear   gate_up [experts, 2 * intermediate, hidden]   down [experts, hidden, intermediate]
 *   transposed          gate_up [experts, hidden, 2 * intermediate]   down [experts, intermediate, hidden]
 *   gate and up         first and second half; in gpt-oss even and odd
 * </pre>
 *
 * <p>Only for model types whose layout is known. The sizes in config.json tell the orientation;
 * when both would fit, the model type decides, and where it does not, nothing is taken apart.
 *
 * <p>Source: llm-compressor, {@code modeling/moe/linear_experts.py}; transformers 5.18, the
 * decorators of its experts.
 */
final class ExpertSplitter {
  private static final Pattern FUSED =
      Pattern.compile("(.*\\bexperts)\\.(gate_up_proj|down_proj)(_bias|\\.bias|\\.weight)?");

  /** Held as {@code [experts, in, out]} by all who write them. */
  private static final Set<String> TRANSPOSED =
      Set.of("gpt_oss", "llama4", "llama4_text", "openai_privacy_filter");

  /** As their own class holds them, or the other way round: only sizes can tell. */
  private static final Set<String> EITHER =
      Set.of("qwen3_vl_moe", "qwen3_vl_moe_text", "qwen3_omni_moe");

  private static final Set<String> AS_LINEAR =
      Set.of(
          "afmoe",
          "cohere2_moe",
          "deepseek_v2",
          "deepseek_v3",
          "deepseek_v32",
          "dots1",
          "ernie4_5_moe",
          "exaone_moe",
          "flex_olmo",
          "gemma4",
          "gemma4_text",
          "glm4_moe",
          "glm4_moe_lite",
          "glm4v_moe",
          "glm_moe_dsa",
          "jamba",
          "laguna",
          "lfm2_moe",
          "mellum",
          "minimax",
          "minimax_m2",
          "mixtral",
          "olmoe",
          "phimoe",
          "qwen2_moe",
          "qwen3_5_moe",
          "qwen3_5_moe_text",
          "qwen3_moe",
          "qwen3_next",
          "solar_open");

  private static final String INTERLEAVED = "gpt_oss";

  private final String modelType;
  private final Optional<Long> hidden;
  private final Map<String, Fit> orientations = new HashMap<>();

  ExpertSplitter(Json.Obj config) {
    Optional<Json.Obj> text = config.object("text_config");
    modelType =
        config
            .string("model_type")
            .filter(this::isKnown)
            .or(() -> text.flatMap(t -> t.string("model_type")))
            .orElse("");
    hidden = config.integer("hidden_size").or(() -> text.flatMap(t -> t.integer("hidden_size")));
  }

  private boolean isKnown(String type) {
    return TRANSPOSED.contains(type) || EITHER.contains(type) || AS_LINEAR.contains(type);
  }

  /**
   * The same weights, with those experts in pieces of which a module is wanted.
   *
   * @param wanted whether the module of this name will be quantized
   */
  List<SourceWeight> split(List<SourceWeight> weights, Predicate<String> wanted) {
    if (!isKnown(modelType) || hidden.isEmpty()) {
      return weights;
    }
    weights.forEach(this::noteOrientation);
    List<SourceWeight> result = new ArrayList<>();
    for (SourceWeight weight : weights) {
      result.addAll(split(weight, wanted));
    }
    return result;
  }

  /** A layer's two tensors lie the same way; sizes of one may tell it where the other's cannot. */
  private void noteOrientation(SourceWeight weight) {
    Matcher name = FUSED.matcher(weight.name());
    if (!name.matches()) {
      return;
    }
    boolean gateUp = name.group(2).equals("gate_up_proj");
    switch (weight) {
      case PlainWeight plain when plain.spec().shape().size() == 3 ->
          orientations.merge(name.group(1), fit(plain.tensor(), gateUp), Fit::and);
      case Mxfp4Experts packed -> {
        boolean even = !gateUp || packed.out() % 2 == 0;
        orientations.merge(name.group(1), even ? Fit.TRANSPOSED : Fit.NEITHER, Fit::and);
      }
      default -> {}
    }
  }

  private List<SourceWeight> split(SourceWeight weight, Predicate<String> wanted) {
    Matcher name = FUSED.matcher(weight.name());
    if (!name.matches() || FloatType.of(weight.spec().dtype()).isEmpty()) {
      return List.of(weight);
    }
    String experts = name.group(1);
    boolean gateUp = name.group(2).equals("gate_up_proj");
    boolean bias = name.group(3) != null && name.group(3).endsWith("bias");
    List<String> parts = gateUp ? List.of("gate", "up") : List.of("down");
    // All of a layer or nothing: what stays fused is ignored by a pattern that covers the layer.
    boolean any =
        Stream.of("gate", "up", "down")
            .anyMatch(part -> wanted.test(experts + ".0." + projection(experts, part)));
    if (!any || isTransposed(experts).isEmpty()) {
      return List.of(weight);
    }
    return switch (weight) {
      case PlainWeight plain when bias && plain.spec().shape().size() == 2 ->
          vectors(plain, experts, parts);
      case PlainWeight plain when !bias && plain.spec().shape().size() == 3 ->
          matrices(plain, experts, parts);
      case Mxfp4Experts packed when modelType.equals(INTERLEAVED) -> packed(packed, experts, parts);
      default -> List.of(weight);
    };
  }

  /** Mixtral's family has names of its own. */
  private static String projection(String experts, String part) {
    if (experts.endsWith("block_sparse_moe.experts")) {
      return switch (part) {
        case "gate" -> "w1";
        case "up" -> "w3";
        default -> "w2";
      };
    }
    return part + "_proj";
  }

  private static String name(String experts, int expert, String part, String parameter) {
    return experts + "." + expert + "." + projection(experts, part) + "." + parameter;
  }

  /** Where the outputs of a part begin, and how far one is from the next. */
  private record Place(int first, int step, int rows) {}

  private Optional<Place> place(List<String> parts, String part, long outputs) {
    int index = parts.indexOf(part);
    if (outputs % parts.size() != 0 || outputs > Integer.MAX_VALUE) {
      return Optional.empty();
    }
    int rows = (int) outputs / parts.size();
    return Optional.of(
        parts.size() == 1 || !modelType.equals(INTERLEAVED)
            ? new Place(index * rows, 1, rows)
            : new Place(index, parts.size(), rows));
  }

  private List<SourceWeight> vectors(PlainWeight weight, String experts, List<String> parts) {
    SourceTensor tensor = weight.tensor();
    int count = Math.toIntExact(tensor.info().dim(0));
    long outputs = tensor.info().dim(1);
    List<SourceWeight> result = new ArrayList<>();
    for (int expert = 0; expert < count; expert++) {
      for (String part : parts) {
        Optional<Place> place = place(parts, part, outputs);
        if (place.isEmpty()) {
          return List.of(weight);
        }
        Place at = place.get();
        TensorSpec spec =
            TensorSpec.of(name(experts, expert, part, "bias"), tensor.info().dtype(), at.rows());
        long base = expert * outputs + at.first();
        result.add(new ExpertSlice(spec, tensor, base, at.step(), 1));
      }
    }
    return result;
  }

  private List<SourceWeight> matrices(PlainWeight weight, String experts, List<String> parts) {
    SourceTensor tensor = weight.tensor();
    Optional<Boolean> known = isTransposed(experts);
    if (known.isEmpty() || tensor.info().elements() == 0) {
      return List.of(weight);
    }
    boolean transposed = known.get();
    int count = Math.toIntExact(tensor.info().dim(0));
    long outputs = tensor.info().dim(transposed ? 2 : 1);
    long inputs = tensor.info().dim(transposed ? 1 : 2);
    List<SourceWeight> result = new ArrayList<>();
    for (int expert = 0; expert < count; expert++) {
      for (String part : parts) {
        Optional<Place> place = place(parts, part, outputs);
        if (place.isEmpty()) {
          return List.of(weight);
        }
        Place at = place.get();
        TensorSpec spec =
            TensorSpec.of(
                name(experts, expert, part, "weight"), tensor.info().dtype(), at.rows(), inputs);
        long expertBase = expert * outputs * inputs;
        result.add(
            transposed
                ? new ExpertSlice(spec, tensor, expertBase + at.first(), at.step(), outputs)
                : new ExpertSlice(
                    spec, tensor, expertBase + at.first() * inputs, at.step() * inputs, 1));
      }
    }
    return result;
  }

  /** Which orientations the sizes of a layer's tensors allow. */
  private enum Fit {
    AS_LINEAR,
    TRANSPOSED,
    BOTH,
    NEITHER;

    Fit and(Fit other) {
      if (this == other || other == BOTH) {
        return this;
      }
      return this == BOTH ? other : NEITHER;
    }
  }

  private Fit fit(SourceTensor tensor, boolean gateUp) {
    long first = tensor.info().dim(1);
    long second = tensor.info().dim(2);
    // hidden is the input of gate and up, and the output of down.
    boolean asLinear = gateUp ? second == hidden.get() && first % 2 == 0 : first == hidden.get();
    boolean turned = gateUp ? first == hidden.get() && second % 2 == 0 : second == hidden.get();
    if (asLinear && turned) {
      return Fit.BOTH;
    }
    return asLinear ? Fit.AS_LINEAR : turned ? Fit.TRANSPOSED : Fit.NEITHER;
  }

  /** Whether inputs come before outputs; empty when sizes and model type do not tell. */
  private Optional<Boolean> isTransposed(String experts) {
    return switch (orientations.getOrDefault(experts, Fit.NEITHER)) {
      case AS_LINEAR -> Optional.of(false);
      case TRANSPOSED -> Optional.of(true);
      case BOTH ->
          EITHER.contains(modelType)
              ? Optional.empty()
              : Optional.of(TRANSPOSED.contains(modelType));
      case NEITHER -> Optional.empty();
    };
  }

  private List<SourceWeight> packed(Mxfp4Experts weight, String experts, List<String> parts) {
    List<SourceWeight> result = new ArrayList<>();
    for (int expert = 0; expert < weight.experts(); expert++) {
      for (String part : parts) {
        Optional<Place> place = place(parts, part, weight.out());
        if (place.isEmpty()) {
          return List.of(weight);
        }
        Place at = place.get();
        String name = name(experts, expert, part, "weight");
        result.add(weight.expert(name, expert, at.first(), at.step(), at.rows()));
      }
    }
    return result;
  }
}
