package dev.quern.formats.compressedtensors;

import static dev.quern.formats.compressedtensors.ConfigErrors.invalid;

import dev.quern.engine.numeric.DType;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What compressed-tensors infers for {@link QuantizationArgs} and what it refuses.
 *
 * <p>Source: compressed-tensors 0.18, {@code quantization/quant_args.py}, its validators.
 */
final class ArgsRules {
  /**
   * The smallest and the largest, one after the other, of the data at hand: the default for
   * weights.
   */
  private static final String STATIC_OBSERVER = "memoryless_minmax";

  private static final String LOCAL_OBSERVER = "minmax";

  private ArgsRules() {}

  static QuantizationStrategy strategy(QuantizationStrategy given, Integer groupSize) {
    if (given != null) {
      return given;
    }
    if (groupSize == null) {
      return QuantizationStrategy.TENSOR;
    }
    if (groupSize > 0) {
      return QuantizationStrategy.GROUP;
    }
    if (groupSize == -1) {
      return QuantizationStrategy.CHANNEL;
    }
    throw invalid(
        "group_size",
        "expected a positive size, or -1 for one scale a channel, found " + groupSize,
        "Use group_size > 0 with strategy group, or leave group_size out");
  }

  /** A fully dynamic tensor is never observed, so a name given for it is dropped. */
  static Optional<String> observer(String given, DynamicType dynamic) {
    return switch (dynamic) {
      case TRUE -> Optional.empty();
      case LOCAL -> Optional.of(given == null ? LOCAL_OBSERVER : given);
      case FALSE -> Optional.of(given == null ? STATIC_OBSERVER : given);
    };
  }

  static DType zeroPointDtype(QuantizationType type, int numBits) {
    if (type == QuantizationType.FLOAT) {
      return DType.F8_E4M3;
    }
    return numBits <= 8 ? DType.I8 : numBits <= 16 ? DType.I16 : DType.I32;
  }

  static void check(
      int numBits,
      QuantizationType type,
      OptionalInt groupSize,
      QuantizationStrategy strategy,
      Optional<BlockStructure> blockStructure,
      DynamicType dynamic,
      Optional<ActivationOrdering> actorder) {
    checkBits(numBits, type);
    checkGroup(groupSize, strategy);
    checkBlock(blockStructure, strategy);
    checkDynamic(dynamic, strategy);
    if (actorder.isPresent()
        && actorder.get().canonical() == ActivationOrdering.GROUP
        && !strategy.isGrouped()) {
      throw invalid(
          "actorder",
          "\""
              + actorder.get().configName()
              + "\" reorders groups, but the strategy is "
              + strategy.configName(),
          "Use actorder \"static\", or strategy group with a group_size");
    }
  }

  private static void checkBits(int numBits, QuantizationType type) {
    if (type == QuantizationType.FLOAT && numBits != 4 && numBits != 8) {
      throw invalid(
          "num_bits",
          "floats are quantized to 4 or 8 bits, found " + numBits,
          "Use num_bits 8 (FP8) or 4 (FP4), or type int");
    }
    if (type == QuantizationType.INT && (numBits < 1 || numBits > 32)) {
      throw invalid(
          "num_bits", "expected 1 to 32 bits, found " + numBits, "Use a width such as 4 or 8");
    }
  }

  private static void checkGroup(OptionalInt groupSize, QuantizationStrategy strategy) {
    if (groupSize.isPresent() && groupSize.getAsInt() < -1) {
      throw invalid(
          "group_size",
          "expected a positive size, or -1 for one scale a channel, found " + groupSize.getAsInt(),
          "Use group_size > 0 with strategy group, or leave group_size out");
    }
    boolean positive = groupSize.isPresent() && groupSize.getAsInt() > 0;
    if (strategy.isGrouped() && !positive) {
      throw invalid(
          "group_size",
          "strategy "
              + strategy.configName()
              + " needs a group_size above 0, found "
              + (groupSize.isPresent() ? groupSize.getAsInt() : "none"),
          "Set group_size, for example to 128");
    }
    if (positive && !strategy.isGrouped()) {
      throw invalid(
          "group_size",
          "group_size "
              + groupSize.getAsInt()
              + " does not go with strategy "
              + strategy.configName(),
          "Use strategy group or tensor_group, or leave group_size out");
    }
  }

  private static void checkBlock(
      Optional<BlockStructure> blockStructure, QuantizationStrategy strategy) {
    boolean block = strategy == QuantizationStrategy.BLOCK;
    if (block && blockStructure.isEmpty()) {
      throw invalid(
          "block_structure",
          "strategy block needs the size of a block, found none",
          "Set block_structure, for example to [128, 128]");
    }
    if (!block && blockStructure.isPresent()) {
      throw invalid(
          "block_structure",
          "a block size goes with strategy block only, found strategy " + strategy.configName(),
          "Use strategy block, or leave block_structure out");
    }
  }

  private static void checkDynamic(DynamicType dynamic, QuantizationStrategy strategy) {
    if (strategy == QuantizationStrategy.TOKEN && dynamic == DynamicType.FALSE) {
      throw invalid(
          "dynamic",
          "strategy token finds its scales while the model runs, but dynamic is false",
          "Set dynamic to true, or use strategy tensor");
    }
    if (dynamic == DynamicType.LOCAL && strategy != QuantizationStrategy.TENSOR_GROUP) {
      throw invalid(
          "dynamic",
          "\"local\" goes with strategy tensor_group only, found strategy " + strategy.configName(),
          "Use true or false, or strategy tensor_group");
    }
    boolean mayBeDynamic =
        strategy == QuantizationStrategy.TOKEN
            || strategy == QuantizationStrategy.TENSOR
            || strategy.isGrouped();
    if (dynamic != DynamicType.FALSE && !mayBeDynamic) {
      throw invalid(
          "dynamic",
          "strategy " + strategy.configName() + " cannot be dynamic",
          "Set dynamic to false, or use strategy token, tensor, group or tensor_group");
    }
  }
}
