package dev.quern.pipeline.source;

import dev.quern.engine.numeric.DType;
import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.BlockStructure;
import dev.quern.formats.compressedtensors.CompressedTensorNames;
import dev.quern.formats.compressedtensors.CompressionFormat;
import dev.quern.formats.compressedtensors.ModuleClass;
import dev.quern.formats.compressedtensors.ModuleRef;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationConfig;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.compressedtensors.QuantizationStrategy;
import dev.quern.formats.compressedtensors.QuantizationType;
import dev.quern.formats.compressedtensors.SchemeMatcher;
import dev.quern.formats.compressedtensors.TensorClassifier;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.json.Json;
import dev.quern.formats.safetensors.TensorSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * compressed-tensors: every format that has weights.
 *
 * <p>Each weight is what the reference's own decompressor gives: the product in the type of the
 * scales, or in BF16 for FP4 and MX formats, then converted to the model's type. In one case we
 * differ: blocks have the size that the configuration says, where the reference divides the sizes
 * of weight and scales, which fails when they do not divide.
 *
 * <p>Source: compressed-tensors 0.18, {@code compressors/} and {@code
 * quantization/lifecycle/forward.py}.
 */
final class CompressedTensorsReader implements SourceReader {
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final Set<DType> FLOATS = Set.of(DType.BF16, DType.F16, DType.F32);
  private static final Set<DType> EXPONENTS = Set.of(DType.U8, DType.F8_E8M0);
  private static final String OLD_ACTIVATIONS = "a scale of activations of the old quantization";
  private static final List<String> ACTIVATION_PARAMETERS =
      List.of(
          "input_scale",
          "input_zero_point",
          "input_global_scale",
          "output_scale",
          "output_zero_point",
          "q_scale",
          "q_zero_point",
          "k_scale",
          "k_zero_point",
          "v_scale",
          "v_zero_point");

  /** Places of a transform that is applied while the model runs. */
  private static final Set<String> ONLINE = Set.of("input", "output", "k_cache", "q_attn");

  @Override
  public void read(Json.Obj json, SourceBuilder source) {
    QuantizationConfig config = QuantizationConfig.fromJson(json);
    refuseOnlineTransforms(config, source);
    SchemeMatcher matcher = SchemeMatcher.of(config);
    Set<String> modules = new LinkedHashSet<>(source.modulesWith("weight_packed"));
    modules.addAll(source.modulesWith("weight_scale"));
    for (String module : modules) {
      QuantizationScheme scheme =
          matcher
              .scheme(new ModuleRef(module, TensorClassifier.classOfMatrix(module)))
              .or(() -> matcher.scheme(new ModuleRef(module, ModuleClass.LINEAR)))
              .or(() -> matcher.scheme(new ModuleRef(module, ModuleClass.EMBEDDING)))
              .orElseThrow(
                  () ->
                      new CheckpointException(
                          source.checkpoint().directory() + ", module " + module,
                          "expected plain weights, because no group of quantization_config targets"
                              + " it, found scales",
                          "Correct targets and ignore in config.json."));
      new Module(module, scheme, format(scheme, config), source).add();
    }
    for (String parameter : ACTIVATION_PARAMETERS) {
      for (String module : source.modulesWith(parameter)) {
        source.drop(module, parameter, OLD_ACTIVATIONS);
      }
    }
    if (config.kvCacheScheme().isPresent()) {
      source.warn("the source's kv_cache_scheme is not carried over");
    }
  }

  /** Files from before groups had formats name one for all. */
  private static CompressionFormat format(QuantizationScheme scheme, QuantizationConfig config) {
    boolean useful =
        config.format() != CompressionFormat.MIXED_PRECISION
            && config.format() != CompressionFormat.DENSE;
    return scheme.format().orElse(useful ? config.format() : CompressionFormat.select(scheme));
  }

  private static void refuseOnlineTransforms(QuantizationConfig config, SourceBuilder source) {
    config
        .transformConfig()
        .object("config_groups")
        .ifPresent(
            groups ->
                groups
                    .members()
                    .forEach(
                        (name, group) -> {
                          if (group instanceof Json.Obj transform) {
                            refuseOnline(name, transform, source);
                          }
                        }));
  }

  private static void refuseOnline(String name, Json.Obj transform, SourceBuilder source) {
    for (Json apply : transform.array("apply").orElse(List.of())) {
      Optional<String> location =
          apply instanceof Json.Obj a ? a.string("location") : Optional.empty();
      if (location.filter(ONLINE::contains).isPresent()) {
        throw new CheckpointException(
            source.checkpoint().directory() + "/config.json, transform_config, " + name,
            "the weights only work together with a transform of location "
                + location.get()
                + " that is applied while the model runs, which a plain checkpoint cannot say",
            "Give the checkpoint that it was made from.");
      }
    }
  }

  /** One module's tensors. */
  private static final class Module {
    private final String name;
    private final QuantizationScheme scheme;
    private final QuantizationArgs args;
    private final CompressionFormat format;
    private final SourceBuilder source;
    private final List<Part> parts = new ArrayList<>();
    private int rows;
    private int cols;

    Module(String name, QuantizationScheme scheme, CompressionFormat format, SourceBuilder source) {
      this.name = name;
      this.scheme = scheme;
      this.format = format;
      this.source = source;
      this.args =
          scheme
              .weights()
              .orElseThrow(
                  () ->
                      new CheckpointException(
                          source.checkpoint().directory() + ", module " + name,
                          "expected plain weights, because its group does not quantize weights,"
                              + " found scales",
                          "Correct config_groups in config.json."));
    }

    void add() {
      if (format == CompressionFormat.DENSE) {
        // Weights that were never compressed, with the scales that they would be compressed with.
        for (String parameter : List.of("weight_scale", "weight_zero_point", "weight_g_idx")) {
          source.drop(name, parameter, "a scale of weights that are plain");
        }
        source.drop(name, "weight_global_scale", "a scale of weights that are plain");
        return;
      }
      boolean packed =
          switch (format) {
            case PACK_QUANTIZED, NVFP4_PACK_QUANTIZED, MXFP4_PACK_QUANTIZED -> true;
            default -> false;
          };
      SourceTensor values = source.require(name, packed ? "weight_packed" : "weight");
      SourceBuilder.requireMatrix(values);
      size(values);
      requireTensors();
      NumberRows codes = codes(take(packed ? "weight_packed" : "weight"));
      SourceTensor scale = take("weight_scale");
      NumberRows scales = scales(scale);
      if (args.strategy() == QuantizationStrategy.TENSOR_GROUP) {
        scales = new ScaledNumbers(scales, take("weight_global_scale"), true);
      }
      Optional<NumberRows> zeros =
          args.symmetric() ? Optional.empty() : Optional.of(zeros(take("weight_zero_point")));
      ColumnGroups groups = groups();
      if (format == CompressionFormat.PACK_QUANTIZED) {
        take("weight_shape");
      }
      if (args.symmetric()) {
        source.drop(name, "weight_zero_point", "zero points of symmetric weights, all 0");
      }
      source.add(
          new DecodedWeight(
              source.matrix(name, rows, cols),
              parts,
              what(),
              codes,
              scales,
              zeros,
              groups,
              FloatType.of(scale.info().dtype()).orElse(FloatType.BF16)));
    }

    private SourceTensor take(String parameter) {
      SourceTensor tensor = source.require(name, parameter);
      parts.add(Part.whole(tensor));
      return tensor;
    }

    private void size(SourceTensor values) {
      rows = Math.toIntExact(values.info().dim(0));
      cols =
          switch (format) {
            case NVFP4_PACK_QUANTIZED, MXFP4_PACK_QUANTIZED ->
                Math.toIntExact(2 * values.info().dim(1));
            case PACK_QUANTIZED -> packedCols(values);
            default -> Math.toIntExact(values.info().dim(1));
          };
    }

    /** The last word of a row may be partly used; only the stored shape says how much. */
    private int packedCols(SourceTensor values) {
      SourceTensor shape = source.require(name, "weight_shape", Set.of(DType.I64), 2);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment numbers = shape.file().map(shape.info(), 0, 16, arena);
        long storedRows = numbers.get(LONG, 0);
        long storedCols = numbers.get(LONG, 8);
        boolean fits =
            storedRows == rows
                && storedCols > 0
                && storedCols <= Integer.MAX_VALUE / 64
                && PackedInts.words(storedCols, args.numBits()) == values.info().dim(1);
        if (!fits) {
          throw SourceBuilder.refused(
              shape,
              "expected the size of the matrix in weight_packed "
                  + values.info().shape()
                  + " of "
                  + args.numBits()
                  + "-bit integers, found ["
                  + storedRows
                  + ", "
                  + storedCols
                  + "]");
        }
        return (int) storedCols;
      }
    }

    /** Names, types and shapes are those that the scheme promises. */
    private void requireTensors() {
      QuantizationScheme weightsAlone =
          QuantizationScheme.of(scheme.targets(), scheme.weights(), Optional.empty())
              .withFormat(format);
      DType scaleType = source.require(name, "weight_scale").info().dtype();
      DType modelType = FLOATS.contains(scaleType) ? scaleType : DType.BF16;
      for (TensorSpec spec : CompressedTensorNames.of(name, rows, cols, weightsAlone, modelType)) {
        String parameter = spec.name().substring(name.length() + 1);
        SourceTensor tensor = source.require(name, parameter);
        Set<DType> types =
            EXPONENTS.contains(spec.dtype()) && parameter.equals("weight_scale")
                ? EXPONENTS
                : Set.of(spec.dtype());
        SourceBuilder.requireType(tensor, types);
        boolean oneForAll = spec.elements() == 1 && tensor.info().elements() == 1;
        boolean flatChannel =
            args.strategy() == QuantizationStrategy.CHANNEL
                && tensor.info().shape().equals(spec.shape().subList(0, 1));
        if (!oneForAll && !flatChannel) {
          SourceBuilder.requireShape(
              tensor, spec.shape().stream().mapToLong(Long::longValue).toArray());
        }
      }
    }

    private NumberRows codes(SourceTensor values) {
      return switch (format) {
        case PACK_QUANTIZED ->
            new PackedInts(values, args.numBits(), cols, true, false, -(1 << args.numBits() - 1));
        case NVFP4_PACK_QUANTIZED, MXFP4_PACK_QUANTIZED -> new Fp4Numbers(values, cols);
        default -> PlainNumbers.of(values, cols);
      };
    }

    private NumberRows scales(SourceTensor scale) {
      return switch (args.strategy()) {
        case TENSOR -> PlainNumbers.single(scale);
        case BLOCK -> {
          BlockStructure block = args.blockStructure().orElseThrow();
          yield new PlainNumbers(
              scale, Math.ceilDiv(cols, block.columns()), Math.min(rows, block.rows()));
        }
        default -> PlainNumbers.of(scale, groupCount());
      };
    }

    private NumberRows zeros(SourceTensor zeros) {
      if (format == CompressionFormat.PACK_QUANTIZED
          && args.strategy() != QuantizationStrategy.TENSOR) {
        return new PackedInts(
            zeros, args.numBits(), groupCount(), false, true, -(1 << args.numBits() - 1));
      }
      return scales(zeros);
    }

    private int groupCount() {
      return cols / groupSize();
    }

    private int groupSize() {
      return switch (args.strategy()) {
        case GROUP, TENSOR_GROUP -> args.groupSize().getAsInt();
        case BLOCK -> args.blockStructure().orElseThrow().columns();
        default -> cols;
      };
    }

    private ColumnGroups groups() {
      Optional<SourceTensor> index = source.find(name, "weight_g_idx");
      if (index.isEmpty()) {
        return ColumnGroups.ofSize(cols, groupSize());
      }
      SourceBuilder.requireType(index.get(), Set.of(DType.I32));
      SourceBuilder.requireShape(index.get(), cols);
      if (args.strategy() != QuantizationStrategy.GROUP || groupCount() == 1) {
        source.drop(index.get(), "an index of groups where there are none");
        return ColumnGroups.ofSize(cols, groupSize());
      }
      parts.add(Part.whole(index.get()));
      return ColumnGroups.indexed(cols, groupSize(), index.get());
    }

    private String what() {
      String values =
          args.type() == QuantizationType.INT
              ? "int" + args.numBits()
              : switch (format) {
                case NVFP4_PACK_QUANTIZED -> "NVFP4";
                case MXFP4_PACK_QUANTIZED -> "MXFP4";
                case MXFP8_QUANTIZED -> "MXFP8";
                default -> "FP8";
              };
      String by =
          switch (args.strategy()) {
            case GROUP, TENSOR_GROUP -> "groups of " + groupSize();
            case BLOCK -> {
              BlockStructure block = args.blockStructure().orElseThrow();
              yield "blocks of " + block.rows() + " x " + block.columns();
            }
            default -> "by " + args.strategy().configName();
          };
      return values + ", " + by + (args.symmetric() ? "" : ", asymmetric");
    }
  }
}
