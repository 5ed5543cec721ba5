package dev.quern.pipeline;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.CompressionFormat;
import dev.quern.formats.compressedtensors.QuantizationConfig;
import dev.quern.formats.compressedtensors.TensorClassifier;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.json.Json;
import dev.quern.formats.safetensors.TensorInfo;
import dev.quern.formats.safetensors.TensorSpec;
import dev.quern.pipeline.source.SourceModel;
import dev.quern.pipeline.source.SourceWeight;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What is in a checkpoint, from its headers.
 *
 * @param model the folder
 * @param architecture the model's class as config.json names it
 * @param quantization one line on how it is quantized, or {@code none}
 * @param tensors all tensors in the order of the model
 * @param otherFiles files beside weights and configuration
 */
public record Inspection(
    Path model,
    String architecture,
    String quantization,
    List<Tensor> tensors,
    List<String> otherFiles) {
  /**
   * One tensor.
   *
   * @param info name, dtype, shape, place
   * @param file name of its file
   * @param role what it is, a few words
   */
  public record Tensor(TensorInfo info, String file, String role) {
    /** Full name. */
    public String name() {
      return info.name();
    }

    /** Dimensions, outermost first. */
    public List<Long> shape() {
      return info.shape();
    }

    /** Element type under the name that safetensors uses. */
    public String dtype() {
      return info.dtype().name();
    }

    /** Bytes of its data. */
    public long bytes() {
      return info.bytes();
    }
  }

  /** Copies the lists. */
  public Inspection {
    tensors = List.copyOf(tensors);
    otherFiles = List.copyOf(otherFiles);
  }

  static Inspection of(HuggingFaceCheckpoint checkpoint) {
    List<TensorSpec> specs = checkpoint.tensors().stream().map(t -> t.info().spec()).toList();
    TensorClassifier classifier = TensorClassifier.forCheckpoint(specs);
    Optional<SourceModel> model = model(checkpoint);
    Map<String, String> encoded = model.map(Inspection::encoded).orElse(Map.of());
    List<Tensor> tensors = new ArrayList<>();
    for (SourceTensor tensor : checkpoint.tensors()) {
      String role = encoded.get(tensor.name());
      tensors.add(
          new Tensor(
              tensor.info(),
              tensor.file().path().getFileName().toString(),
              role == null ? classifier.classify(tensor.info().spec()).reason() : role));
    }
    return new Inspection(
        checkpoint.directory(),
        architecture(checkpoint.config()),
        quantization(checkpoint.config(), model),
        tensors,
        checkpoint.otherFiles());
  }

  /** The model that the files stand for; empty when they cannot be read as one. */
  private static Optional<SourceModel> model(HuggingFaceCheckpoint checkpoint) {
    try {
      return Optional.of(SourceModel.open(checkpoint));
    } catch (CheckpointException e) {
      return Optional.empty();
    }
  }

  /** What the tensors of quantized weights are. */
  private static Map<String, String> encoded(SourceModel model) {
    Map<String, String> roles = new HashMap<>();
    for (SourceWeight weight : model.weights()) {
      if (weight.encoding().isPresent()) {
        weight.parts().forEach(p -> roles.put(p.tensor().name(), "part of " + weight.name()));
        roles.put(weight.parts().getFirst().tensor().name(), weight.encoding().get());
      }
    }
    model.dropped().forEach(dropped -> roles.put(dropped.tensor().name(), dropped.reason()));
    return roles;
  }

  private static String architecture(Json.Obj config) {
    String name =
        config
            .array("architectures")
            .filter(list -> !list.isEmpty() && list.get(0) instanceof Json.Str)
            .map(list -> ((Json.Str) list.get(0)).value())
            .orElse("");
    return name.isEmpty() ? config.string("model_type").orElse("unknown") : name;
  }

  private static String quantization(Json.Obj config, Optional<SourceModel> model) {
    try {
      Optional<QuantizationConfig> ours = QuantizationConfig.ofModel(config);
      return ours.map(
              q ->
                  "compressed-tensors, "
                      + q.formats().stream()
                          .map(CompressionFormat::configName)
                          .collect(Collectors.joining(" and "))
                      + ", ignore "
                      + String.join(", ", q.ignore()))
          .or(() -> model.flatMap(SourceModel::quantization))
          .orElse("none");
    } catch (CheckpointException e) {
      return model
          .flatMap(SourceModel::quantization)
          .or(
              () ->
                  config
                      .object("quantization_config")
                      .flatMap(q -> q.string("quant_method"))
                      .map(method -> method + " (cannot be read)"))
          .orElse("unknown (" + e.problem() + ")");
    }
  }

  /** Bytes of all tensors. */
  public long bytes() {
    return tensors.stream().mapToLong(t -> t.info().bytes()).sum();
  }

  /** Elements of all tensors. */
  public long elements() {
    return tensors.stream().mapToLong(t -> t.info().elements()).sum();
  }

  /** The same as a JSON document, with a newline at the end. */
  public String toJson() {
    return ReportJson.of(this);
  }
}
