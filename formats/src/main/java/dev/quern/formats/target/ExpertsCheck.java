package dev.quern.formats.target;

import dev.quern.formats.compressedtensors.CompressionFormat;
import dev.quern.formats.compressedtensors.DynamicType;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.compressedtensors.QuantizationStrategy;
import dev.quern.formats.compressedtensors.QuantizationType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * vLLM has a way to run the routed experts of a layer, which it stacks into two tensors and runs by
 * other code than single matrices.
 *
 * <p>Source: vLLM, {@code compressed_tensors_moe.py}, {@code get_moe_method}, and the constructors
 * of the methods that it names: the first condition that holds decides, and none is an error.
 */
final class ExpertsCheck implements EngineCheck {
  private static final int MARLIN_HIDDEN = 128;

  @Override
  public List<Finding> check(ServedModel model) {
    List<Finding> findings = new ArrayList<>();
    for (ServedModule module : model.modules()) {
      if (module.isRoutedExpert() && module.scheme().isPresent()) {
        QuantizationScheme scheme = module.scheme().get();
        Optional<Finding> refusal = scheme(module, scheme);
        refusal.ifPresent(findings::add);
        if (refusal.isEmpty()) {
          shape(model, module, scheme).ifPresent(findings::add);
        }
      }
    }
    return findings;
  }

  private static Optional<Finding> scheme(ServedModule module, QuantizationScheme scheme) {
    QuantizationArgs weights = scheme.weights().orElseThrow();
    if (weights.isMicroscaling()) {
      return Optional.empty();
    }
    boolean byRow =
        weights.strategy() == QuantizationStrategy.CHANNEL
            || weights.strategy() == QuantizationStrategy.GROUP;
    if (scheme.inputActivations().isEmpty() && byRow) {
      return weightsAlone(module, scheme, weights);
    }
    if (weights.strategy() == QuantizationStrategy.TENSOR_GROUP) {
      return Optional.empty();
    }
    if (scheme.inputActivations().isEmpty()) {
      return Optional.of(unknown(module, scheme, "FP8_DYNAMIC, W4A16 or NVFP4A16"));
    }
    return withInputs(module, scheme, weights, scheme.inputActivations().get());
  }

  /** FP8 by row takes the branch of packed integers, too, and fails there. */
  private static Optional<Finding> weightsAlone(
      ServedModule module, QuantizationScheme scheme, QuantizationArgs weights) {
    boolean packed = scheme.formatOrDefault() == CompressionFormat.PACK_QUANTIZED;
    boolean width = weights.numBits() == 4 || weights.numBits() == 8;
    if (packed && width) {
      return Optional.empty();
    }
    boolean isFloat = weights.type() == QuantizationType.FLOAT;
    return Optional.of(
        Finding.refused(
            module.name(),
            "vLLM runs experts whose inputs are not quantized with 4- or 8-bit integers in format"
                + " pack-quantized alone, and finds "
                + weights.numBits()
                + "-bit "
                + weights.type().configName()
                + "s in format "
                + scheme.formatOrDefault().configName(),
            isFloat
                ? "Use FP8_DYNAMIC, which quantizes inputs, too, or leave the experts as they are."
                : "Use W4A16 or W8A16 for the experts, or leave them as they are."));
  }

  private static Optional<Finding> withInputs(
      ServedModule module,
      QuantizationScheme scheme,
      QuantizationArgs weights,
      QuantizationArgs inputs) {
    boolean dynamic = inputs.dynamic() == DynamicType.TRUE;
    boolean token = dynamic && inputs.strategy() == QuantizationStrategy.TOKEN;
    boolean channel = weights.strategy() == QuantizationStrategy.CHANNEL;
    boolean floatInputs = inputs.type() == QuantizationType.FLOAT;
    if (weights.type() == QuantizationType.FLOAT) {
      boolean known =
          floatInputs
              && (channel && token
                  || weights.strategy() == QuantizationStrategy.BLOCK
                  || weights.strategy() == QuantizationStrategy.TENSOR
                      && inputs.strategy() == QuantizationStrategy.TENSOR);
      return known ? Optional.empty() : Optional.of(unknown(module, scheme, "FP8_DYNAMIC"));
    }
    boolean eightBits = weights.numBits() == 8 && inputs.numBits() == 8;
    if (eightBits && channel && token && weights.symmetric() && !floatInputs) {
      return Optional.empty();
    }
    boolean fourBits = weights.numBits() == 4 && inputs.numBits() == 8 && weights.symmetric();
    if (fourBits && token && floatInputs && weights.groupSize().equals(OptionalInt.of(128))) {
      // On compute capability 9.0.
      return Optional.empty();
    }
    if (fourBits && token && !floatInputs) {
      return Optional.of(
          Finding.refused(
              module.name(),
              "vLLM runs experts of 4-bit integers with 8-bit integer inputs on CPUs alone",
              "Use W4A16, W4AFP8 or W8A8 for the experts."));
    }
    return Optional.of(unknown(module, scheme, "W8A8, W4A16 or FP8_DYNAMIC"));
  }

  private static Finding unknown(ServedModule module, QuantizationScheme scheme, String presets) {
    return Finding.refused(
        module.name(),
        "vLLM cannot run experts of " + SchemeCheck.describe(scheme),
        "Use " + presets + " for the experts, or leave them as they are.");
  }

  private static Optional<Finding> shape(
      ServedModel model, ServedModule module, QuantizationScheme scheme) {
    QuantizationArgs weights = scheme.weights().orElseThrow();
    boolean columnParallel = module.cut() == ServedModule.Cut.COLUMN_PARALLEL;
    if (columnParallel && weights.strategy() == QuantizationStrategy.BLOCK) {
      int side = weights.blockStructure().orElseThrow().rows();
      // With more ranks another check says so.
      return model.tensorParallel() > 1 || module.rows() % side == 0
          ? Optional.empty()
          : Optional.of(
              Finding.refused(
                  module.name(),
                  "vLLM needs blocks of "
                      + side
                      + " that divide the rows of an expert, and it has "
                      + module.rows(),
                  "Use FP8_DYNAMIC, whose scales are by row."));
    }
    boolean packed = scheme.formatOrDefault() == CompressionFormat.PACK_QUANTIZED;
    if (columnParallel && packed && module.cols() % MARLIN_HIDDEN != 0) {
      return Optional.of(
          Finding.degraded(
              module.name(),
              module.cols()
                  + " columns are no multiple of "
                  + MARLIN_HIDDEN
                  + ", so vLLM leaves the Marlin kernel of experts for a slower one",
              "Leave the experts as they are if it matters."));
    }
    return Optional.empty();
  }
}
