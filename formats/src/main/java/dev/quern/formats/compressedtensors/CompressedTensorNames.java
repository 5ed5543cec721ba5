package dev.quern.formats.compressedtensors;

import static dev.quern.formats.compressedtensors.ConfigErrors.invalid;

import dev.quern.engine.numeric.DType;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.safetensors.TensorSpec;
import java.util.ArrayList;
import java.util.List;

/**
 * Which tensors take the place of a module's {@code weight} in each format: names, dtypes and
 * shapes.
 *
 * <p>The bias stays as it is in every format and is not listed.
 *
 * <p>Source: compressed-tensors 0.18, {@code compressors/}; checked against the headers of
 * checkpoints that it wrote.
 */
public final class CompressedTensorNames {
  private final String module;
  private final long rows;
  private final long columns;
  private final DType modelDtype;
  private final List<TensorSpec> tensors = new ArrayList<>();

  private CompressedTensorNames(String module, long rows, long columns, DType modelDtype) {
    this.module = module;
    this.rows = rows;
    this.columns = columns;
    this.modelDtype = modelDtype;
  }

  /**
   * The tensors of one module, under their full names.
   *
   * @param module full module name, such as {@code model.layers.0.mlp.up_proj}
   * @param rows output size of the weight, its first dimension
   * @param columns input size of the weight, its second dimension
   * @param scheme how the module is quantized; its format, or else the default one, decides
   * @param modelDtype dtype of the weight in the source
   * @throws CheckpointException when the group size does not divide the columns, or the format
   *     cannot hold the numbers that the scheme asks for
   */
  public static List<TensorSpec> of(
      String module, long rows, long columns, QuantizationScheme scheme, DType modelDtype) {
    CompressedTensorNames names = new CompressedTensorNames(module, rows, columns, modelDtype);
    names.weights(scheme);
    scheme.inputActivations().ifPresent(args -> names.activations("input", args));
    scheme.outputActivations().ifPresent(args -> names.activations("output", args));
    return List.copyOf(names.tensors);
  }

  /**
   * The scales of an attention module whose keys and values are cached in a smaller type.
   *
   * @param attention full name of the attention module, such as {@code model.layers.0.self_attn}
   * @param heads number of key-value heads, used by strategy {@code attn_head} only
   */
  public static List<TensorSpec> keyValueCache(
      String attention, QuantizationArgs args, long heads, DType modelDtype) {
    if (!args.isStatic()) {
      return List.of();
    }
    long[] shape =
        args.strategy() == QuantizationStrategy.ATTN_HEAD
            ? new long[] {heads, 1, 1}
            : new long[] {1};
    List<TensorSpec> tensors = new ArrayList<>();
    for (String side : List.of("k", "v")) {
      tensors.add(TensorSpec.of(attention + "." + side + "_scale", modelDtype, shape));
      if (!args.symmetric()) {
        tensors.add(TensorSpec.of(attention + "." + side + "_zero_point", args.zpDtype(), shape));
      }
    }
    return List.copyOf(tensors);
  }

  private void weights(QuantizationScheme scheme) {
    if (scheme.weights().isEmpty()) {
      add("weight", modelDtype, rows, columns);
      return;
    }
    QuantizationArgs args = scheme.weights().get();
    CompressionFormat format = scheme.formatOrDefault();
    long[] scales = scaleShape(args);
    switch (format) {
      case DENSE -> {
        add("weight", modelDtype, rows, columns);
        scales(args, scales, args.scaleDtype().orElse(modelDtype));
        add("weight_zero_point", args.zpDtype(), scales);
        groupIndex(args);
      }
      case NAIVE_QUANTIZED, FLOAT_QUANTIZED, INT_QUANTIZED -> {
        add("weight", storedDtype(format, args), rows, columns);
        scales(args, scales, args.scaleDtype().orElse(modelDtype));
        if (!args.symmetric()) {
          add("weight_zero_point", args.zpDtype(), scales);
        }
        groupIndex(args);
      }
      case PACK_QUANTIZED -> packed(args, scales);
      case NVFP4_PACK_QUANTIZED -> {
        require(format, args, QuantizationType.FLOAT, 4);
        add("weight_packed", DType.U8, rows, evenColumns() / 2);
        scales(args, scales, args.scaleDtype().orElse(DType.F8_E4M3));
      }
      case MXFP4_PACK_QUANTIZED -> {
        require(format, args, QuantizationType.FLOAT, 4);
        add("weight_packed", DType.U8, rows, evenColumns() / 2);
        scales(args, scales, DType.U8);
      }
      case MXFP8_QUANTIZED -> {
        require(format, args, QuantizationType.FLOAT, 8);
        add("weight", DType.F8_E4M3, rows, columns);
        scales(args, scales, DType.U8);
      }
      case MIXED_PRECISION -> throw new IllegalStateException("refused by QuantizationScheme");
    }
  }

  private void packed(QuantizationArgs args, long[] scales) {
    if (args.type() != QuantizationType.INT || args.numBits() > 8) {
      throw mismatch(CompressionFormat.PACK_QUANTIZED, args, "integers of 1 to 8 bits");
    }
    add("weight_packed", DType.I32, rows, words(columns, args.numBits()));
    scales(args, scales, args.scaleDtype().orElse(modelDtype));
    if (!args.symmetric()) {
      if (args.strategy() == QuantizationStrategy.TENSOR) {
        add("weight_zero_point", args.zpDtype(), scales);
      } else {
        add("weight_zero_point", DType.I32, words(scales[0], args.numBits()), scales[1]);
      }
    }
    add("weight_shape", DType.I64, 2);
    groupIndex(args);
  }

  private void scales(QuantizationArgs args, long[] shape, DType dtype) {
    add("weight_scale", dtype, shape);
    if (args.strategy() == QuantizationStrategy.TENSOR_GROUP) {
      add("weight_global_scale", DType.F32, 1);
    }
  }

  private void groupIndex(QuantizationArgs args) {
    if (args.hasGroupIndex()) {
      add("weight_g_idx", DType.I32, columns);
    }
  }

  private void activations(String side, QuantizationArgs args) {
    if (args.strategy() == QuantizationStrategy.TENSOR_GROUP
        && args.dynamic() != DynamicType.TRUE) {
      add(side + "_global_scale", DType.F32, 1);
      return;
    }
    if (!args.isStatic()) {
      return;
    }
    if (args.strategy() != QuantizationStrategy.TENSOR) {
      throw invalid(
          module + ": " + side + "_activations",
          "stored scales by " + args.strategy().configName() + " have no tensor of their own",
          "Use strategy tensor, or set dynamic to true");
    }
    add(side + "_scale", modelDtype, 1);
    if (!args.symmetric()) {
      add(side + "_zero_point", args.zpDtype(), 1);
    }
  }

  private long[] scaleShape(QuantizationArgs args) {
    return switch (args.strategy()) {
      case TENSOR -> new long[] {1};
      case CHANNEL -> new long[] {rows, 1};
      case GROUP, TENSOR_GROUP -> new long[] {rows, groups(args.groupSize().getAsInt())};
      case BLOCK -> {
        BlockStructure block = args.blockStructure().orElseThrow();
        yield new long[] {
          Math.ceilDiv(rows, (long) block.rows()), Math.ceilDiv(columns, (long) block.columns())
        };
      }
      case TOKEN, ATTN_HEAD ->
          throw invalid(
              module,
              "strategy " + args.strategy().configName() + " cannot quantize a weight",
              "Use tensor, channel, group, tensor_group or block");
    };
  }

  private long groups(int groupSize) {
    if (columns % groupSize != 0) {
      throw invalid(
          module,
          "the weight ["
              + rows
              + ", "
              + columns
              + "] has "
              + columns
              + " columns, which groups of "
              + groupSize
              + " do not divide",
          "Use a scheme by channel such as FP8_DYNAMIC or W8A8, or add the module to ignore");
    }
    return columns / groupSize;
  }

  private long evenColumns() {
    if (columns % 2 != 0) {
      throw invalid(
          module,
          "two 4-bit floats share a byte, but the weight has " + columns + " columns",
          "Add the module to ignore");
    }
    return columns;
  }

  private DType storedDtype(CompressionFormat format, QuantizationArgs args) {
    if (args.type() == QuantizationType.FLOAT) {
      require(format, args, QuantizationType.FLOAT, 8);
      return DType.F8_E4M3;
    }
    if (format == CompressionFormat.FLOAT_QUANTIZED) {
      throw mismatch(format, args, "8-bit floats");
    }
    return args.numBits() <= 8 ? DType.I8 : args.numBits() <= 16 ? DType.I16 : DType.I32;
  }

  private void require(
      CompressionFormat format, QuantizationArgs args, QuantizationType type, int bits) {
    if (args.type() != type || args.numBits() != bits) {
      throw mismatch(format, args, bits + "-bit " + type.configName() + "s");
    }
  }

  private CheckpointException mismatch(
      CompressionFormat format, QuantizationArgs args, String holds) {
    return invalid(
        module,
        "format "
            + format.configName()
            + " holds "
            + holds
            + ", but the scheme asks for "
            + args.numBits()
            + "-bit "
            + args.type().configName()
            + "s",
        "Leave the format out, so that the scheme's own is used");
  }

  private static long words(long values, int bits) {
    return Math.ceilDiv(Math.multiplyExact(values, (long) bits), 32L);
  }

  private void add(String name, DType dtype, long... shape) {
    tensors.add(TensorSpec.of(module + "." + name, dtype, shape));
  }
}
