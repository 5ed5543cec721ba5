package dev.quern.pipeline.calibration;

import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.quantization.E4M3Weights;
import dev.quern.engine.quantization.IntParameters;
import dev.quern.engine.quantization.Nvfp4Scales;
import dev.quern.formats.compressedtensors.DynamicType;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationStrategy;
import dev.quern.formats.compressedtensors.QuantizationType;
import dev.quern.formats.json.Json;
import java.util.Optional;
import java.util.Set;

/**
 * Stored scales of activations, from the ranges that were seen: the same formulas as for weights,
 * in the model's type. A range of nothing but zeros gives the type's epsilon, so that no scale is
 * ever zero.
 *
 * <p>Source: compressed-tensors 0.18, {@code calculate_qparams} and {@code generate_gparam}.
 */
public final class ActivationScales {
  private static final float AVERAGING_CONSTANT = 0.01f;

  /** Observers whose ranges are those of all samples. */
  private static final Set<String> WHOLE = Set.of("static_minmax", "memoryless_minmax");

  private static final String AVERAGE = "minmax";

  private ActivationScales() {}

  /**
   * Why scales of inputs cannot be found for these arguments; empty when they can.
   *
   * @param args static, or with stored global scales
   */
  public static Optional<String> problemOfInputs(QuantizationArgs args) {
    if (args.dynamic() == DynamicType.LOCAL) {
      return args.strategy() == QuantizationStrategy.TENSOR_GROUP && args.numBits() == 4
          ? problemOfObserver(args)
          : Optional.of("scales below a stored global one are known for NVFP4 alone");
    }
    return args.strategy() == QuantizationStrategy.TENSOR
        ? problemOfNumbers(args)
        : Optional.of(
            "stored scales of inputs are one for a tensor, not by " + args.strategy().configName());
  }

  /** Why scales of keys and values cannot be found for these arguments; empty when they can. */
  public static Optional<String> problemOfCache(QuantizationArgs args) {
    if (!args.isStatic()) {
      return Optional.of("scales of keys and values are stored, so dynamic is false");
    }
    if (!args.symmetric()) {
      return Optional.of("keys and values have no zero points: symmetric is true");
    }
    return args.strategy() == QuantizationStrategy.TENSOR
            || args.strategy() == QuantizationStrategy.ATTN_HEAD
        ? problemOfNumbers(args)
        : Optional.of(
            "keys and values have a scale by tensor or by attn_head, not by "
                + args.strategy().configName());
  }

  private static Optional<String> problemOfNumbers(QuantizationArgs args) {
    boolean known =
        args.type() == QuantizationType.FLOAT
            ? args.numBits() == 8 && args.symmetric()
            : args.numBits() >= 2 && args.numBits() <= 8;
    return known && args.scaleDtype().isEmpty()
        ? problemOfObserver(args)
        : Optional.of(
            "stored scales of activations are known for FP8 and for integers of 2 to 8 bits, with"
                + " scales of the model's type");
  }

  private static Optional<String> problemOfObserver(QuantizationArgs args) {
    String observer = args.observer().orElse("static_minmax");
    return WHOLE.contains(observer) || observer.equals(AVERAGE)
        ? Optional.empty()
        : Optional.of(
            "activations can be observed by static_minmax, memoryless_minmax and minmax, not by "
                + observer);
  }

  /** The averaging constant of the observer {@code minmax}; empty for the others. */
  static Optional<Float> decay(QuantizationArgs args) {
    if (!args.observer().equals(Optional.of(AVERAGE))) {
      return Optional.empty();
    }
    return Optional.of(
        args.observerKwargs()
            .find("averaging_constant")
            .filter(Json.Num.class::isInstance)
            .map(value -> (float) ((Json.Num) value).doubleValue())
            .orElse(AVERAGING_CONSTANT));
  }

  /** The scale that stands for a whole tensor of this range; positive. */
  static float scale(QuantizationArgs args, FloatType type, ValueRange range) {
    if (args.type() == QuantizationType.FLOAT) {
      return E4M3Weights.scale(type, range.min(), range.max());
    }
    return args.symmetric()
        ? IntParameters.symmetricScale(type, args.numBits(), range.min(), range.max())
        : IntParameters.asymmetricScale(type, args.numBits(), range.min(), range.max());
  }

  /** The zero point beside an asymmetric scale. */
  static byte zeroPoint(QuantizationArgs args, FloatType type, ValueRange range) {
    return (byte) IntParameters.zeroPoint(type, args.numBits(), range.min(), range.max());
  }

  /** The global scale of NVFP4 inputs. */
  static float global(FloatType type, ValueRange range) {
    float largest = Math.max(Math.abs(range.min()), Math.abs(range.max()));
    return Nvfp4Scales.global(type, type.encode(largest));
  }
}
