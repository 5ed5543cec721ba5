package dev.quern.pipeline;

import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.quantization.ScaleGrid;
import dev.quern.formats.compressedtensors.PresetSchemes;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.compressedtensors.QuantizationType;
import java.util.List;
import java.util.Optional;

/** Which schemes this version can compute, and the codec of each. */
final class WeightCodecs {
  private WeightCodecs() {}

  /** The codec for a matrix under a scheme; empty when this version has none. */
  static Optional<WeightCodec> find(QuantizationScheme scheme, FloatType type, int rows, int cols) {
    if (scheme.weights().isEmpty()) {
      return Optional.empty();
    }
    QuantizationArgs weights = scheme.weights().get();
    return switch (scheme.formatOrDefault()) {
      case FLOAT_QUANTIZED, NAIVE_QUANTIZED -> e4m3(weights, type, rows, cols);
      default -> Optional.empty();
    };
  }

  private static Optional<WeightCodec> e4m3(
      QuantizationArgs weights, FloatType type, int rows, int cols) {
    if (!isE4M3(weights)) {
      return Optional.empty();
    }
    return switch (weights.strategy()) {
      case TENSOR -> Optional.of(new E4M3TensorCodec(type, cols));
      case CHANNEL -> Optional.of(new E4M3Codec(type, ScaleGrid.channel(rows, cols)));
      case BLOCK ->
          weights
              .blockStructure()
              .map(b -> new E4M3Codec(type, ScaleGrid.block(rows, cols, b.rows(), b.columns())));
      default -> Optional.empty();
    };
  }

  private static boolean isE4M3(QuantizationArgs weights) {
    return weights.type() == QuantizationType.FLOAT
        && weights.numBits() == 8
        && weights.symmetric()
        && weights.scaleDtype().isEmpty();
  }

  /** Names of the preset schemes that can be computed without calibration data. */
  static List<String> supportedPresets() {
    return PresetSchemes.names().stream()
        .filter(
            name -> {
              PresetSchemes.Preset preset = PresetSchemes.named(name);
              return !preset.needsCalibration()
                  && find(preset.scheme(List.of("Linear")), FloatType.BF16, 128, 128).isPresent();
            })
        .toList();
  }
}
