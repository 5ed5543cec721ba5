package dev.quern.pipeline.source;

import dev.quern.engine.numeric.DType;
import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.safetensors.TensorSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Collects the weights of a quantized checkpoint, and sees to it that each byte of each tensor has
 * one owner.
 */
final class SourceBuilder {
  /** Parameters that only make sense with the others of their module. */
  private static final Set<String> PARTS =
      Set.of(
          "weight_packed",
          "weight_scale",
          "weight_scale_inv",
          "weight_scale_2",
          "weight_global_scale",
          "weight_zero_point",
          "weight_g_idx",
          "weight_shape",
          "qweight",
          "qzeros",
          "g_idx");

  private static final Set<DType> CODES = Set.of(DType.F8_E4M3, DType.F8_E5M2, DType.F4);

  private final HuggingFaceCheckpoint checkpoint;
  private final FloatType type;
  private final Map<String, SourceWeight> weights = new TreeMap<>();
  private final Map<String, Long> taken = new HashMap<>();
  private final List<Dropped> dropped = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();

  SourceBuilder(HuggingFaceCheckpoint checkpoint, FloatType type) {
    this.checkpoint = checkpoint;
    this.type = type;
  }

  HuggingFaceCheckpoint checkpoint() {
    return checkpoint;
  }

  /** The type that quantized weights are given. */
  FloatType type() {
    return type;
  }

  /** Modules that have this parameter, in the order of the model. */
  List<String> modulesWith(String parameter) {
    String suffix = "." + parameter;
    return checkpoint.tensors().stream()
        .map(SourceTensor::name)
        .filter(name -> name.endsWith(suffix))
        .map(name -> name.substring(0, name.length() - suffix.length()))
        .toList();
  }

  Optional<SourceTensor> find(String module, String parameter) {
    return checkpoint.find(module + "." + parameter);
  }

  /** The parameter, which must be there. */
  SourceTensor require(String module, String parameter) {
    return checkpoint
        .find(module.isEmpty() ? parameter : module + "." + parameter)
        .orElseThrow(
            () ->
                new CheckpointException(
                    checkpoint.directory() + ", module " + module,
                    "expected a tensor " + parameter + ", found none",
                    "The checkpoint is incomplete or damaged; fetch it again."));
  }

  /** The parameter, which must be there with this shape and one of these types. */
  SourceTensor require(String module, String parameter, Set<DType> dtypes, long... shape) {
    SourceTensor tensor = require(module, parameter);
    requireShape(tensor, shape);
    requireType(tensor, dtypes);
    return tensor;
  }

  static void requireType(SourceTensor tensor, Set<DType> dtypes) {
    if (!dtypes.contains(tensor.info().dtype())) {
      throw refused(
          tensor,
          "expected "
              + String.join(" or ", dtypes.stream().map(DType::name).sorted().toList())
              + ", found "
              + tensor.info().dtype());
    }
  }

  static void requireShape(SourceTensor tensor, long... shape) {
    List<Long> expected = Arrays.stream(shape).boxed().toList();
    if (!tensor.info().shape().equals(expected)) {
      throw refused(tensor, "expected shape " + expected + ", found " + tensor.info().shape());
    }
  }

  /** A matrix with elements, of fewer than 2^31 rows and columns. */
  static void requireMatrix(SourceTensor tensor) {
    boolean sound =
        tensor.info().rank() == 2
            && tensor.info().elements() > 0
            && Math.max(tensor.info().dim(0), tensor.info().dim(1)) <= Integer.MAX_VALUE / 64;
    if (!sound) {
      throw refused(tensor, "expected a matrix, found shape " + tensor.info().shape());
    }
  }

  static CheckpointException refused(SourceTensor tensor, String problem) {
    return new CheckpointException(
        tensor.file().path() + ", tensor " + tensor.name(),
        problem,
        "The checkpoint is damaged, or was made by other software than its config.json says.");
  }

  /** The plain matrix of a module. */
  TensorSpec matrix(String module, long rows, long cols) {
    return TensorSpec.of(module + ".weight", type.dtype(), rows, cols);
  }

  /** Adds a weight, which takes its parts. */
  void add(SourceWeight weight) {
    if (weights.put(weight.name(), weight) != null) {
      throw new CheckpointException(
          weight.place(),
          "two sets of tensors make " + weight.name(),
          "The checkpoint holds the module twice; remove one of the two.");
    }
    for (Part part : weight.parts()) {
      long all = taken.merge(part.tensor().name(), part.bytes(), Long::sum);
      if (all > part.tensor().info().bytes()) {
        throw new IllegalStateException(part.tensor().name() + " is taken twice");
      }
    }
  }

  /** Drops a parameter if it is there. */
  void drop(String module, String parameter, String reason) {
    find(module, parameter).ifPresent(tensor -> drop(tensor, reason));
  }

  void drop(SourceTensor tensor, String reason) {
    if (taken.putIfAbsent(tensor.name(), tensor.info().bytes()) == null) {
      dropped.add(new Dropped(tensor, reason));
    }
  }

  /** Something that the user should know, a sentence. */
  void warn(String warning) {
    warnings.add(warning);
  }

  /**
   * The model: what was added, and every tensor that nobody took, as it is.
   *
   * @throws CheckpointException when a tensor is left that is only a part of a quantized weight
   */
  SourceModel build(String description) {
    for (SourceTensor tensor : checkpoint.tensors()) {
      Long bytes = taken.get(tensor.name());
      if (bytes == null) {
        refuseLeftOver(tensor);
        add(plain(tensor));
      } else if (bytes != tensor.info().bytes()) {
        throw new IllegalStateException(
            tensor.name() + ": " + bytes + " of " + tensor.info().bytes() + " bytes are taken");
      }
    }
    boolean quantized =
        !dropped.isEmpty() || weights.values().stream().anyMatch(w -> w.encoding().isPresent());
    if (!quantized) {
      throw new CheckpointException(
          checkpoint.directory() + "/config.json",
          "says that the model is quantized (" + description + "), found plain tensors alone",
          "Remove quantization_config from config.json if the model is plain, or fetch it again.");
    }
    return SourceModel.of(List.copyOf(weights.values()), dropped, warnings, description);
  }

  /** Tensors of the model's own type go along when weights are decoded to another one. */
  private SourceWeight plain(SourceTensor tensor) {
    FloatType own = ModelType.of(checkpoint.config());
    return own != type && tensor.info().dtype() == own.dtype()
        ? new ConvertedWeight(tensor, type)
        : new PlainWeight(tensor);
  }

  private static void refuseLeftOver(SourceTensor tensor) {
    String parameter = tensor.name().substring(tensor.name().lastIndexOf('.') + 1);
    if (PARTS.contains(parameter) || CODES.contains(tensor.info().dtype())) {
      throw refused(
          tensor,
          "is "
              + tensor.info().dtype()
              + " "
              + tensor.info().shape()
              + ", a part of a quantized weight, but config.json and the other tensors do not say"
              + " how to read it (a missing scale, perhaps)");
    }
  }
}
