package dev.quern.pipeline;

import dev.quern.engine.numeric.DType;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.BlockStructure;
import dev.quern.formats.compressedtensors.CompressionFormat;
import dev.quern.formats.compressedtensors.ModuleClass;
import dev.quern.formats.compressedtensors.ModuleRef;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationConfig;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.compressedtensors.QuantizationType;
import dev.quern.formats.compressedtensors.SchemeMatcher;
import dev.quern.formats.compressedtensors.TensorClassifier;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.layout.QuantizedMatrix;
import dev.quern.formats.layout.QuantizedMatrix.Codes;
import dev.quern.formats.layout.TensorType;
import dev.quern.pipeline.source.ModelType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The modules of a checkpoint that have a weight, as kernels' layouts see them. */
final class QuantizedModules {
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final HuggingFaceCheckpoint checkpoint;
  private final Optional<QuantizationConfig> config;
  private final Optional<SchemeMatcher> matcher;
  private final DType dtype;

  private QuantizedModules(HuggingFaceCheckpoint checkpoint, Optional<QuantizationConfig> config) {
    this.checkpoint = checkpoint;
    this.config = config;
    this.matcher = config.map(SchemeMatcher::of);
    this.dtype = ModelType.of(checkpoint.config()).dtype();
  }

  /**
   * All of them, in the order of the model's tensors.
   *
   * @param plain whether the linear layers that are not quantized are wanted too
   * @throws CheckpointException when none is wanted but quantized ones and the checkpoint is not
   *     one of compressed-tensors, or a module's tensors do not fit its scheme
   */
  static Map<String, QuantizedMatrix> of(HuggingFaceCheckpoint checkpoint, boolean plain) {
    Optional<QuantizationConfig> config = QuantizationConfig.ofModel(checkpoint.config());
    if (config.isEmpty() && !plain) {
      throw new CheckpointException(
          checkpoint.directory() + "/config.json",
          "expected a checkpoint in compressed-tensors format, found no such"
              + " quantization_config",
          "Give the folder that quern compress made.");
    }
    QuantizedModules modules = new QuantizedModules(checkpoint, config);
    Map<String, Map<String, TensorType>> parameters = new LinkedHashMap<>();
    for (SourceTensor tensor : checkpoint.tensors()) {
      int dot = tensor.name().lastIndexOf('.');
      if (dot > 0) {
        parameters
            .computeIfAbsent(tensor.name().substring(0, dot), module -> new TreeMap<>())
            .put(
                tensor.name().substring(dot + 1),
                new TensorType(tensor.info().dtype(), tensor.info().shape()));
      }
    }
    Map<String, QuantizedMatrix> all = new LinkedHashMap<>();
    parameters.forEach(
        (module, tensors) -> {
          if (config.isPresent() && tensors.containsKey("weight_scale")) {
            modules.matrix(module, tensors).ifPresent(matrix -> all.put(module, matrix));
          } else if (plain) {
            modules.plain(module, tensors).ifPresent(matrix -> all.put(module, matrix));
          }
        });
    return all;
  }

  /** A linear layer of 16-bit floats, without scales. */
  private Optional<QuantizedMatrix> plain(String module, Map<String, TensorType> tensors) {
    TensorType weight = tensors.get("weight");
    if (weight == null
        || weight.shape().size() != 2
        || weight.elements() == 0
        || (weight.dtype() != DType.BF16 && weight.dtype() != DType.F16)
        || tensors.containsKey("weight_scale")
        || TensorClassifier.classOfMatrix(module) != ModuleClass.LINEAR) {
      return Optional.empty();
    }
    long k = weight.shape().get(1);
    return Optional.of(
        new QuantizedMatrix(
            Codes.FLOAT16, 16, weight.shape().get(0), k, 1, k, weight.dtype(), tensors));
  }

  private Optional<QuantizedMatrix> matrix(String module, Map<String, TensorType> tensors) {
    Optional<QuantizationScheme> scheme =
        matcher.get().scheme(new ModuleRef(module, TensorClassifier.classOfMatrix(module)));
    if (scheme.isEmpty()) {
      scheme = matcher.get().scheme(new ModuleRef(module, ModuleClass.LINEAR));
    }
    if (scheme.flatMap(QuantizationScheme::weights).isEmpty()) {
      return Optional.empty();
    }
    QuantizationArgs args = scheme.get().weights().get();
    CompressionFormat format =
        scheme
            .get()
            .format()
            .orElse(
                config.get().format() == CompressionFormat.MIXED_PRECISION
                    ? CompressionFormat.select(scheme.get())
                    : config.get().format());
    Codes codes;
    switch (format) {
      case PACK_QUANTIZED -> codes = Codes.PACKED_INT;
      case NVFP4_PACK_QUANTIZED, MXFP4_PACK_QUANTIZED -> codes = Codes.E2M1;
      case INT_QUANTIZED, FLOAT_QUANTIZED, NAIVE_QUANTIZED, MXFP8_QUANTIZED ->
          codes = args.type() == QuantizationType.FLOAT ? Codes.E4M3 : Codes.INT8;
      default -> {
        return Optional.empty();
      }
    }
    TensorType weight =
        tensors.get(codes == Codes.PACKED_INT || codes == Codes.E2M1 ? "weight_packed" : "weight");
    if (weight == null || weight.shape().size() != 2) {
      throw damaged(module, "expected a matrix of codes", weight == null ? "none" : "" + weight);
    }
    long n = weight.shape().get(0);
    int bits = codes == Codes.PACKED_INT ? args.numBits() : codes == Codes.E2M1 ? 4 : 8;
    long k = columns(module, codes, bits, weight);
    long rowBits = weight.shape().get(1) * weight.dtype().bits();
    if (n < 1 || k < 1 || Math.ceilDiv(k * bits, 32) * 32 < rowBits || k * bits > rowBits) {
      throw damaged(module, n + " x " + k + " codes of " + bits + " bits", weight.toString());
    }
    long blockRows = 1;
    long blockColumns = k;
    switch (args.strategy()) {
      case TENSOR -> blockRows = n;
      case GROUP, TENSOR_GROUP -> blockColumns = args.groupSize().orElse((int) k);
      case BLOCK -> {
        BlockStructure block = args.blockStructure().orElseThrow();
        blockRows = block.rows();
        blockColumns = block.columns();
      }
      default -> {}
    }
    QuantizedMatrix matrix =
        new QuantizedMatrix(codes, bits, n, k, blockRows, blockColumns, dtype, tensors);
    long scales = Math.ceilDiv(n, blockRows) * matrix.groups();
    if (tensors.get("weight_scale").elements() != scales) {
      throw damaged(
          module, "expected " + scales + " scales", tensors.get("weight_scale").toString());
    }
    return Optional.of(matrix);
  }

  private long columns(String module, Codes codes, int bits, TensorType weight) {
    if (codes != Codes.PACKED_INT) {
      return weight.shape().get(1) * weight.dtype().bits() / bits;
    }
    SourceTensor shape =
        checkpoint
            .find(module + ".weight_shape")
            .filter(t -> t.info().dtype() == DType.I64 && t.info().elements() == 2)
            .orElseThrow(() -> damaged(module, "expected weight_shape I64 [2]", "none"));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment values = shape.file().map(shape.info(), 0, 16, arena);
      long columns = values.get(LONG, 8);
      if (columns < 1 || columns > Integer.MAX_VALUE) {
        throw damaged(module, "expected a number of columns in weight_shape", "" + columns);
      }
      return columns;
    }
  }

  private CheckpointException damaged(String module, String expected, String found) {
    return new CheckpointException(
        checkpoint.directory() + ", module " + module,
        expected + ", found " + found,
        "Run quern verify on it.");
  }
}
