package dev.quern.formats.target;

import dev.quern.formats.compressedtensors.CompressionFormat;
import dev.quern.formats.compressedtensors.DynamicType;
import dev.quern.formats.compressedtensors.ModuleClass;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.compressedtensors.QuantizationStrategy;
import dev.quern.formats.compressedtensors.QuantizationType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * vLLM has a scheme for the arguments and the format.
 *
 * <p>Source: vLLM, {@code compressed_tensors.py}, {@code _get_scheme_from_parts}: the first
 * condition that holds decides, and none is an error. Routed experts go by {@link ExpertsCheck}.
 */
final class SchemeCheck implements EngineCheck {
  private static final Set<CompressionFormat> WITH_ACTIVATIONS =
      Set.of(
          CompressionFormat.NAIVE_QUANTIZED,
          CompressionFormat.INT_QUANTIZED,
          CompressionFormat.FLOAT_QUANTIZED,
          CompressionFormat.NVFP4_PACK_QUANTIZED);

  @Override
  public List<Finding> check(ServedModel model) {
    List<Finding> findings = new ArrayList<>();
    for (ServedModule module : model.modules()) {
      if (module.className().equals(ModuleClass.LINEAR)
          && !module.isRoutedExpert()
          && module.scheme().isPresent()
          && !isKnown(module.scheme().get())) {
        findings.add(
            Finding.refused(
                module.name(),
                "vLLM has no scheme for " + describe(module.scheme().get()),
                "Use a preset such as FP8_DYNAMIC, W8A8, W4A16 or NVFP4A16."));
      }
    }
    return findings;
  }

  /** The scheme in words, as it stands after "for". */
  static String describe(QuantizationScheme scheme) {
    QuantizationArgs weights = scheme.weights().orElseThrow();
    return (weights.symmetric() ? "" : "asymmetric ")
        + weights.numBits()
        + "-bit "
        + weights.type().configName()
        + " weights by "
        + weights.strategy().configName()
        + scheme.inputActivations().map(SchemeCheck::inputs).orElse("")
        + " in format "
        + scheme.formatOrDefault().configName();
  }

  private static String inputs(QuantizationArgs inputs) {
    return " with " + inputs.numBits() + "-bit " + inputs.type().configName() + " inputs";
  }

  private static boolean isKnown(QuantizationScheme scheme) {
    QuantizationArgs weights = scheme.weights().orElseThrow();
    Optional<QuantizationArgs> inputs = scheme.inputActivations();
    CompressionFormat format = scheme.formatOrDefault();
    boolean isFloat = weights.type() == QuantizationType.FLOAT;
    if (isFloat && weights.numBits() == 4 || weights.isMicroscaling()) {
      return weights.symmetric();
    }
    if (isFloat) {
      return WITH_ACTIVATIONS.contains(format)
          && weights.symmetric()
          && hasStrategy(
              weights,
              QuantizationStrategy.TENSOR,
              QuantizationStrategy.CHANNEL,
              QuantizationStrategy.BLOCK);
    }
    boolean grouped =
        hasStrategy(weights, QuantizationStrategy.CHANNEL, QuantizationStrategy.GROUP);
    if (format == CompressionFormat.PACK_QUANTIZED) {
      return grouped && (inputs.isEmpty() ? isWeightOnly(weights) : isPackedWithInputs(weights, inputs.get()));
    }
    return format == CompressionFormat.INT_QUANTIZED
        && inputs.isPresent()
        && isInt8OrW4A8(weights, inputs.get());
  }

  /** Any width of 2 to 8 bits; zero points for 4 and 8 alone. */
  private static boolean isWeightOnly(QuantizationArgs weights) {
    boolean width = weights.numBits() >= 2 && weights.numBits() <= 8;
    return width && (weights.symmetric() || weights.numBits() == 4 || weights.numBits() == 8);
  }

  private static boolean isPackedWithInputs(QuantizationArgs weights, QuantizationArgs inputs) {
    boolean dynamic = inputs.dynamic() == DynamicType.TRUE && inputs.symmetric();
    if (inputs.type() == QuantizationType.FLOAT) {
      // On compute capability 9.0, for groups of 128.
      return dynamic
          && weights.symmetric()
          && weights.numBits() == 4
          && weights.groupSize().equals(OptionalInt.of(128));
    }
    return dynamic && weights.symmetric() && (inputs.numBits() == 8 || inputs.numBits() == 4);
  }

  private static boolean isInt8OrW4A8(QuantizationArgs weights, QuantizationArgs inputs) {
    boolean eightBitInputs = inputs.numBits() == 8;
    if (!eightBitInputs || !weights.symmetric()) {
      return false;
    }
    if (weights.numBits() == 4) {
      return inputs.strategy() == QuantizationStrategy.TOKEN
          && hasStrategy(weights, QuantizationStrategy.CHANNEL, QuantizationStrategy.GROUP);
    }
    return weights.numBits() == 8
        && hasStrategy(weights, QuantizationStrategy.TENSOR, QuantizationStrategy.CHANNEL)
        && hasStrategy(inputs, QuantizationStrategy.TENSOR, QuantizationStrategy.TOKEN);
  }

  private static boolean hasStrategy(QuantizationArgs args, QuantizationStrategy... strategies) {
    return List.of(strategies).contains(args.strategy());
  }
}
