package dev.quern.pipeline;

import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.quantization.ScaleGrid;
import dev.quern.formats.compressedtensors.CompressionFormat;
import dev.quern.formats.compressedtensors.PresetSchemes;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.compressedtensors.QuantizationStrategy;
import dev.quern.formats.compressedtensors.QuantizationType;
import java.util.List;
import java.util.Optional;

/** Which schemes this version can compute, and the codec of each. */
final class WeightCodecs {
  private WeightCodecs() {}

  /** The codec for a matrix under a scheme; empty when this version has none. */
  static Optional<WeightCodec> find(QuantizationScheme scheme, FloatType type, int rows, int cols) {
    if (scheme.weights().isEmpty()
        || scheme.formatOrDefault() != CompressionFormat.FLOAT_QUANTIZED
        || !isE4M3(scheme.weights().get())) {
      return Optional.empty();
    }
    QuantizationArgs weights = scheme.weights().get();
    return switch (weights.strategy()) {
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
        && weights.scaleDtype().isEmpty()
        && (weights.strategy() == QuantizationStrategy.CHANNEL
            || weights.strategy() == QuantizationStrategy.BLOCK);
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
