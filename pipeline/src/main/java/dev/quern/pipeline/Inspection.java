package dev.quern.pipeline;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.ClassifiedTensor;
import dev.quern.formats.compressedtensors.CompressionFormat;
import dev.quern.formats.compressedtensors.QuantizationConfig;
import dev.quern.formats.compressedtensors.TensorClassifier;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.json.Json;
import dev.quern.formats.safetensors.TensorInfo;
import dev.quern.formats.safetensors.TensorSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
    List<Tensor> tensors = new ArrayList<>();
    for (SourceTensor tensor : checkpoint.tensors()) {
      tensors.add(
          new Tensor(
              tensor.info(),
              tensor.file().path().getFileName().toString(),
              role(checkpoint, classifier.classify(tensor.info().spec()))));
    }
    return new Inspection(
        checkpoint.directory(),
        architecture(checkpoint.config()),
        quantization(checkpoint.config()),
        tensors,
        checkpoint.otherFiles());
  }

  private static String role(HuggingFaceCheckpoint checkpoint, ClassifiedTensor tensor) {
    boolean scaled = checkpoint.find(tensor.module() + ".weight_scale").isPresent();
    return scaled && tensor.parameter().startsWith("weight")
        ? "compressed " + tensor.parameter()
        : tensor.reason();
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

  private static String quantization(Json.Obj config) {
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
          .orElse("none");
    } catch (CheckpointException e) {
      return config
          .object("quantization_config")
          .flatMap(q -> q.string("quant_method"))
          .map(method -> method + " (not read by this version)")
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
