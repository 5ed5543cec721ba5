package dev.quern.formats.compressedtensors;

import static dev.quern.formats.compressedtensors.ConfigErrors.invalid;

import dev.quern.engine.numeric.DType;
import dev.quern.formats.CheckpointException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * How the tensors of a quantized module lie in the file: the {@code format} key.
 *
 * <p>Source: compressed-tensors 0.18, {@code compressors/format.py}. {@link CompressedTensorNames}
 * lists each format's tensors.
 */
public enum CompressionFormat implements ConfigName {
  /** Weights as they were, scales beside them. */
  DENSE("dense"),
  /** One byte for each weight, activations in the model's dtype. */
  NAIVE_QUANTIZED("naive-quantized"),
  /** FP8 weights, quantized activations. */
  FLOAT_QUANTIZED("float-quantized"),
  /** One signed byte for each weight whatever its width, quantized activations. */
  INT_QUANTIZED("int-quantized"),
  /** Integers of 1 to 8 bits as a dense bit stream in 32-bit words. */
  PACK_QUANTIZED("pack-quantized"),
  /** Two E2M1 floats in a byte, FP8 scales for 16, one global scale. */
  NVFP4_PACK_QUANTIZED("nvfp4-pack-quantized"),
  /** Two E2M1 floats in a byte, E8M0 scales for 32. */
  MXFP4_PACK_QUANTIZED("mxfp4-pack-quantized"),
  /** FP8 weights, E8M0 scales for 32. */
  MXFP8_QUANTIZED("mxfp8-quantized"),
  /** The whole configuration's format when its groups differ; no group's own. */
  MIXED_PRECISION("mixed-precision");

  /** Sparse formats of older releases, which no current reader loads. */
  private static final Set<String> REMOVED =
      Set.of("sparse-bitmask", "sparse-24-bitmask", "marlin-24");

  /** Formats are chosen for exactly these classes; any other quantized module stays dense. */
  private static final Set<String> CLASSES = Set.of(ModuleClass.LINEAR, ModuleClass.EMBEDDING);

  private final String configName;

  CompressionFormat(String configName) {
    this.configName = configName;
  }

  @Override
  public String configName() {
    return configName;
  }

  /**
   * The format of this name, in any case.
   *
   * @throws CheckpointException for a format that was removed, and for one that never was
   */
  public static CompressionFormat named(String where, String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    if (REMOVED.contains(lower)) {
      throw invalid(
          where,
          "the sparse format \"" + lower + "\" is no longer part of compressed-tensors",
          "Decompress the model with the release that wrote it, or start from the dense model");
    }
    return Arrays.stream(values())
        .filter(format -> format.configName.equals(lower))
        .findFirst()
        .orElseThrow(
            () ->
                invalid(
                    where,
                    "unknown format \"" + name + "\"",
                    "Use one of "
                        + Arrays.stream(values())
                            .map(CompressionFormat::configName)
                            .collect(Collectors.joining(", "))));
  }

  /**
   * The format that a Linear or Embedding of this scheme gets by default; the first rule that fits.
   */
  public static CompressionFormat select(QuantizationScheme scheme) {
    if (scheme.weights().isEmpty()) {
      return DENSE;
    }
    QuantizationArgs weights = scheme.weights().get();
    boolean isFloat = weights.type() == QuantizationType.FLOAT;
    boolean microscaling = isFloat && weights.groupSize().equals(OptionalInt.of(32));
    if (microscaling && weights.numBits() == 4) {
      return MXFP4_PACK_QUANTIZED;
    }
    if (microscaling
        && weights.numBits() == 8
        && weights.scaleDtype().equals(Optional.of(DType.U8))) {
      return MXFP8_QUANTIZED;
    }
    if (isFloat && weights.numBits() == 4 && weights.groupSize().equals(OptionalInt.of(16))) {
      return NVFP4_PACK_QUANTIZED;
    }
    // Any width: W4A8 takes a byte for each 4-bit weight unless the user asks for pack-quantized.
    if (!isFloat && scheme.inputActivations().isPresent()) {
      return INT_QUANTIZED;
    }
    if (!isFloat && weights.numBits() <= 8) {
      return PACK_QUANTIZED;
    }
    if (isFloat && scheme.inputActivations().isPresent()) {
      return FLOAT_QUANTIZED;
    }
    return NAIVE_QUANTIZED;
  }

  /**
   * The format that we write a scheme in: its own when it names one, and else that of {@link
   * #select(QuantizationScheme)}, except that integers beside float activations (W4AFP8) are
   * packed, because vLLM reads such weights in no other format. The reference's own example asks
   * for that, too.
   */
  public static CompressionFormat toWrite(QuantizationScheme scheme) {
    if (scheme.format().isPresent()) {
      return scheme.format().get();
    }
    CompressionFormat selected = select(scheme);
    boolean floatInputs =
        scheme.inputActivations().filter(a -> a.type() == QuantizationType.FLOAT).isPresent();
    return selected == INT_QUANTIZED && floatInputs && scheme.weights().get().numBits() <= 8
        ? PACK_QUANTIZED
        : selected;
  }

  /**
   * As {@link #select(QuantizationScheme)} for a module of a given class.
   *
   * @param className class of the module, for example {@code Linear}
   * @param override format that the user asked for, used for every quantized module whatever its
   *     scheme
   */
  public static CompressionFormat select(
      QuantizationScheme scheme, String className, Optional<CompressionFormat> override) {
    if (override.isPresent()) {
      return override.get();
    }
    return CLASSES.contains(className) ? select(scheme) : DENSE;
  }

  /** The {@code format} of a whole configuration whose modules have these formats. */
  public static CompressionFormat global(List<CompressionFormat> ofModules) {
    List<CompressionFormat> distinct = ofModules.stream().distinct().toList();
    return switch (distinct.size()) {
      case 0 -> DENSE;
      case 1 -> distinct.getFirst();
      default -> MIXED_PRECISION;
    };
  }
}
