package dev.quern.pipeline;

import dev.quern.engine.numeric.DType;
import dev.quern.engine.numeric.E8M0;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp8E4M3;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.ClassifiedTensor;
import dev.quern.formats.compressedtensors.CompressedTensorNames;
import dev.quern.formats.compressedtensors.ModuleClass;
import dev.quern.formats.compressedtensors.ModuleRef;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationConfig;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.compressedtensors.QuantizationType;
import dev.quern.formats.compressedtensors.SchemeMatcher;
import dev.quern.formats.compressedtensors.TensorClassifier;
import dev.quern.formats.compressedtensors.TensorRole;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.safetensors.TensorInfo;
import dev.quern.formats.safetensors.TensorSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Whether the tensors of a compressed checkpoint are those that its configuration promises, and
 * every scale is finite and positive.
 */
final class StructureCheck {
  private static final Set<String> STORED = Set.of("weight_packed", "weight_scale");

  /** Scales of compressed-tensors; a model may have parameters of its own called scale. */
  static final Set<String> SCALES =
      Set.of(
          "weight_scale",
          "weight_global_scale",
          "input_scale",
          "input_global_scale",
          "output_scale",
          "q_scale",
          "k_scale",
          "v_scale");

  private final HuggingFaceCheckpoint checkpoint;
  private final SchemeMatcher matcher;
  private final Map<String, QuantizationScheme> quantized = new LinkedHashMap<>();
  private final List<String> problems = new ArrayList<>();

  StructureCheck(HuggingFaceCheckpoint checkpoint, QuantizationConfig config) {
    this.checkpoint = checkpoint;
    this.matcher = SchemeMatcher.of(config);
    checkpoint.tensors().forEach(tensor -> module(tensor.name()));
    checkPlainWeights();
    quantized.forEach(this::checkModule);
    checkpoint.tensors().forEach(this::checkScale);
  }

  List<String> problems() {
    return problems;
  }

  /** The scheme of each module that has compressed weights. */
  Map<String, QuantizationScheme> quantized() {
    return quantized;
  }

  private void module(String tensor) {
    int dot = tensor.lastIndexOf('.');
    if (dot < 0 || !STORED.contains(tensor.substring(dot + 1))) {
      return;
    }
    String module = tensor.substring(0, dot);
    Optional<QuantizationScheme> scheme =
        matcher.scheme(new ModuleRef(module, TensorClassifier.classOfMatrix(module)));
    if (scheme.isPresent()) {
      quantized.put(module, scheme.get());
    } else {
      problems.add(tensor + ": config.json says that " + module + " is not quantized");
    }
  }

  private void checkPlainWeights() {
    List<TensorSpec> specs = checkpoint.tensors().stream().map(t -> t.info().spec()).toList();
    TensorClassifier.forCheckpoint(specs).classifyAll(specs).stream()
        .filter(t -> !quantized.containsKey(t.module()))
        .filter(t -> t.role() == TensorRole.LINEAR || holdsCodes(t))
        .filter(t -> matcher.scheme(new ModuleRef(t.module(), ModuleClass.LINEAR)).isPresent())
        .forEach(
            t ->
                problems.add(
                    t.tensor() + ": config.json says that it is quantized, but it has no scales"));
  }

  /** A matrix of bytes instead of floats: what is left of a module that lost its scales. */
  private boolean holdsCodes(ClassifiedTensor tensor) {
    TensorInfo info = checkpoint.find(tensor.tensor()).orElseThrow().info();
    return tensor.parameter().equals("weight")
        && info.rank() == 2
        && FloatType.of(info.dtype()).isEmpty();
  }

  private void checkModule(String module, QuantizationScheme scheme) {
    Optional<MatrixSize> size = size(module).filter(MatrixSize::isSound);
    if (size.isEmpty()) {
      problems.add(
          module
              + ": neither a weight matrix nor weight_packed with a weight_shape that fits it is"
              + " there");
      return;
    }
    DType modelDtype =
        checkpoint
            .find(module + ".weight_scale")
            .map(scale -> scale.info().dtype())
            .filter(dtype -> FloatType.of(dtype).isPresent())
            .orElse(DType.BF16);
    List<TensorSpec> expected;
    try {
      expected =
          CompressedTensorNames.of(
              module, size.get().rows(), size.get().cols(), scheme, modelDtype);
    } catch (CheckpointException e) {
      problems.add(e.getMessage());
      return;
    }
    for (TensorSpec spec : expected) {
      Optional<SourceTensor> found = checkpoint.find(spec.name());
      if (found.isEmpty()) {
        problems.add(spec.name() + ": missing");
      } else if (!found.get().info().spec().equals(spec)) {
        TensorInfo info = found.get().info();
        problems.add(
            spec.name()
                + ": expected "
                + spec.dtype()
                + " "
                + spec.shape()
                + ", found "
                + info.dtype()
                + " "
                + info.shape());
      }
    }
    scheme.weights().ifPresent(weights -> checkZeroPoints(module, weights));
  }

  /** Packed ones cannot be out of range. */
  private void checkZeroPoints(String module, QuantizationArgs weights) {
    Optional<SourceTensor> tensor =
        checkpoint
            .find(module + ".weight_zero_point")
            .filter(t -> t.info().dtype() == DType.I8 && weights.type() == QuantizationType.INT);
    if (tensor.isEmpty() || weights.numBits() >= 8) {
      return;
    }
    int lowest = -1 << (weights.numBits() - 1);
    TensorInfo info = tensor.get().info();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment values = tensor.get().file().map(info, 0, info.bytes(), arena);
      for (long i = 0; i < info.elements(); i++) {
        byte zeroPoint = values.get(ValueLayout.JAVA_BYTE, i);
        if (zeroPoint < lowest || zeroPoint >= -lowest) {
          problems.add(
              info.name()
                  + ", element "
                  + i
                  + ": expected a zero point from "
                  + lowest
                  + " to "
                  + (-lowest - 1)
                  + ", found "
                  + zeroPoint);
          return;
        }
      }
    }
  }

  private record MatrixSize(long rows, long cols) {
    boolean isSound() {
      return rows >= 1 && rows <= Integer.MAX_VALUE && cols >= 1 && cols <= Integer.MAX_VALUE;
    }
  }

  private Optional<MatrixSize> size(String module) {
    Optional<TensorInfo> weight = checkpoint.find(module + ".weight").map(SourceTensor::info);
    if (weight.isPresent()) {
      return weight.filter(w -> w.rank() == 2).map(w -> new MatrixSize(w.dim(0), w.dim(1)));
    }
    Optional<SourceTensor> shape = checkpoint.find(module + ".weight_shape");
    if (shape.isPresent()
        && shape.get().info().dtype() == DType.I64
        && shape.get().info().elements() == 2) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment values = shape.get().file().map(shape.get().info(), 0, 16, arena);
        return Optional.of(
            new MatrixSize(
                values.get(ValueLayout.JAVA_LONG_UNALIGNED, 0),
                values.get(ValueLayout.JAVA_LONG_UNALIGNED, 8)));
      }
    }
    // FP4 packs two columns in a byte.
    return checkpoint
        .find(module + ".weight_packed")
        .map(SourceTensor::info)
        .filter(packed -> packed.dtype() == DType.U8 && packed.rank() == 2)
        .map(packed -> new MatrixSize(packed.dim(0), 2 * packed.dim(1)));
  }

  private void checkScale(SourceTensor tensor) {
    TensorInfo info = tensor.info();
    if (!SCALES.contains(info.name().substring(info.name().lastIndexOf('.') + 1))) {
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment values = tensor.file().map(info, 0, info.bytes(), arena);
      for (long i = 0; i < info.elements(); i++) {
        float scale = value(info.dtype(), values, i);
        if (!(scale > 0 && Float.isFinite(scale))) {
          problems.add(
              info.name()
                  + ", element "
                  + i
                  + ": expected a positive finite scale, found "
                  + scale);
          return;
        }
      }
    }
  }

  private static float value(DType dtype, MemorySegment values, long index) {
    Optional<FloatType> type = FloatType.of(dtype);
    if (type.isPresent()) {
      return type.get().load(values, index * type.get().bytes());
    }
    byte code = values.get(ValueLayout.JAVA_BYTE, index);
    return switch (dtype) {
      case F8_E4M3 -> Fp8E4M3.decode(code);
      case U8, F8_E8M0 -> E8M0.decode(code);
      default -> Float.NaN;
    };
  }
}
