package dev.quern.formats.compressedtensors;

import static dev.quern.formats.compressedtensors.ConfigErrors.invalid;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * One group of {@code config_groups}: which modules, and how their tensors are quantized.
 *
 * @param targets module names, {@code re:} patterns and class names; see {@link ModuleMatcher}
 * @param weights empty when weights stay as they are
 * @param inputActivations empty when inputs are not quantized
 * @param outputActivations empty when outputs are not quantized
 * @param format how the tensors lie on disk; empty until it is chosen
 */
public record QuantizationScheme(
    List<String> targets,
    Optional<QuantizationArgs> weights,
    Optional<QuantizationArgs> inputActivations,
    Optional<QuantizationArgs> outputActivations,
    Optional<CompressionFormat> format) {
  private static final Set<String> KEYS =
      Set.of("format", "input_activations", "output_activations", "targets", "weights");
  private static final Set<QuantizationStrategy> INPUT_STRATEGIES =
      Set.of(
          QuantizationStrategy.TOKEN,
          QuantizationStrategy.TENSOR,
          QuantizationStrategy.GROUP,
          QuantizationStrategy.TENSOR_GROUP,
          QuantizationStrategy.ATTN_HEAD);

  /**
   * @throws CheckpointException for input activations by channel or block, a column order on
   *     activations, and format mixed-precision
   */
  public QuantizationScheme {
    targets = List.copyOf(targets);
    if (inputActivations.isPresent()
        && !INPUT_STRATEGIES.contains(inputActivations.get().strategy())) {
      throw invalid(
          "input_activations",
          "strategy " + inputActivations.get().strategy().configName() + " is for weights",
          "Use token, tensor, group, tensor_group or attn_head");
    }
    refuseActorder("input_activations", inputActivations);
    refuseActorder("output_activations", outputActivations);
    if (format.equals(Optional.of(CompressionFormat.MIXED_PRECISION))) {
      throw invalid(
          "format",
          "mixed-precision is the format of a whole configuration, not of one group",
          "Leave format out, or name the group's own format");
    }
  }

  private static void refuseActorder(String key, Optional<QuantizationArgs> activations) {
    if (activations.isPresent() && activations.get().actorder().isPresent()) {
      throw invalid(
          key, "actorder orders the columns of a weight", "Leave actorder out of activations");
    }
  }

  /** A scheme that quantizes weights and perhaps inputs, its format not yet chosen. */
  public static QuantizationScheme of(
      List<String> targets,
      Optional<QuantizationArgs> weights,
      Optional<QuantizationArgs> inputActivations) {
    return new QuantizationScheme(
        targets, weights, inputActivations, Optional.empty(), Optional.empty());
  }

  /** The same scheme with another format. */
  public QuantizationScheme withFormat(CompressionFormat format) {
    return new QuantizationScheme(
        targets, weights, inputActivations, outputActivations, Optional.of(format));
  }

  /** The same scheme for other modules. */
  public QuantizationScheme withTargets(List<String> targets) {
    return new QuantizationScheme(targets, weights, inputActivations, outputActivations, format);
  }

  /** The same scheme with other weight arguments. */
  public QuantizationScheme withWeights(QuantizationArgs weights) {
    return new QuantizationScheme(
        targets, Optional.of(weights), inputActivations, outputActivations, format);
  }

  /**
   * The format of this scheme's modules: its own, or else the one that the rules choose for a
   * Linear.
   */
  public CompressionFormat formatOrDefault() {
    return format.orElseGet(() -> CompressionFormat.select(this));
  }

  /** The five keys, sorted; what is absent is null. */
  public Json.Obj toJson() {
    LinkedHashMap<String, Json> members = new LinkedHashMap<>();
    members.put("format", ArgsJson.nameOrNull(format));
    members.put("input_activations", argsOrNull(inputActivations));
    members.put("output_activations", argsOrNull(outputActivations));
    members.put("targets", Json.of(targets.stream().map(Json::of).toList()));
    members.put("weights", argsOrNull(weights));
    return Json.Obj.of(members);
  }

  static Json argsOrNull(Optional<QuantizationArgs> args) {
    return args.<Json>map(QuantizationArgs::toJson).orElse(Json.Null.NULL);
  }

  /**
   * Reads one group.
   *
   * @throws CheckpointException for an unknown key, missing targets, or what the constructor
   *     refuses
   */
  public static QuantizationScheme fromJson(Json.Obj json) {
    ConfigReader in = new ConfigReader(json);
    in.allowOnly(KEYS);
    if (json.array("targets").isEmpty()) {
      throw invalid(
          json.where(),
          "expected " + JsonWriter.quote("targets") + ", found no such list",
          "Add for example \"targets\": [\"Linear\"]");
    }
    Optional<CompressionFormat> format =
        json.string("format").map(name -> CompressionFormat.named(in.where("format"), name));
    Optional<QuantizationArgs> weights = in.object("weights", QuantizationArgs::fromJson);
    Optional<QuantizationArgs> inputs = in.object("input_activations", QuantizationArgs::fromJson);
    Optional<QuantizationArgs> outputs =
        in.object("output_activations", QuantizationArgs::fromJson);
    return in.located(
        () -> new QuantizationScheme(in.strings("targets"), weights, inputs, outputs, format));
  }
}
