package dev.quern.pipeline;

import dev.quern.engine.numeric.DType;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.quantization.IntWeights;
import dev.quern.engine.quantization.MxWeights;
import dev.quern.engine.quantization.Nvfp4Scales;
import dev.quern.engine.quantization.Nvfp4Search;
import dev.quern.engine.quantization.ScaleGrid;
import dev.quern.formats.compressedtensors.CompressionFormat;
import dev.quern.formats.compressedtensors.PresetSchemes;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.compressedtensors.QuantizationStrategy;
import dev.quern.formats.compressedtensors.QuantizationType;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

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
      case FLOAT_QUANTIZED -> e4m3(weights, type, rows, cols);
      case INT_QUANTIZED, PACK_QUANTIZED -> integers(scheme, type, rows, cols);
      case NAIVE_QUANTIZED ->
          weights.type() == QuantizationType.FLOAT
              ? e4m3(weights, type, rows, cols)
              : integers(scheme, type, rows, cols);
      case NVFP4_PACK_QUANTIZED -> nvfp4(weights, type, rows, cols);
      case MXFP4_PACK_QUANTIZED -> mx(weights, type, rows, cols, MxWeights.Element.E2M1);
      case MXFP8_QUANTIZED -> mx(weights, type, rows, cols, MxWeights.Element.E4M3);
      default -> Optional.empty();
    };
  }

  private static Optional<WeightCodec> nvfp4(
      QuantizationArgs weights, FloatType type, int rows, int cols) {
    boolean known =
        weights.strategy() == QuantizationStrategy.TENSOR_GROUP
            && weights.groupSize().equals(OptionalInt.of(Nvfp4Scales.GROUP_SIZE))
            && weights.scaleDtype().equals(Optional.of(DType.F8_E4M3))
            && isFloat(weights, 4);
    if (!known) {
      return Optional.empty();
    }
    boolean exact = weights.observer().equals(Optional.of(Nvfp4Search.NAME));
    return Optional.of(
        exact
            ? new Nvfp4ExactCodec(type, cols)
            : new Nvfp4Codec(type, rows, cols, WeightObserver.of(weights)));
  }

  private static Optional<WeightCodec> mx(
      QuantizationArgs weights, FloatType type, int rows, int cols, MxWeights.Element element) {
    boolean known =
        weights.strategy() == QuantizationStrategy.GROUP
            && weights.isMicroscaling()
            && isFloat(weights, element == MxWeights.Element.E2M1 ? 4 : 8);
    return known
        ? Optional.of(new MxCodec(type, rows, cols, element, WeightObserver.of(weights)))
        : Optional.empty();
  }

  private static Optional<WeightCodec> e4m3(
      QuantizationArgs weights, FloatType type, int rows, int cols) {
    if (!isFloat(weights, 8) || weights.scaleDtype().isPresent()) {
      return Optional.empty();
    }
    return switch (weights.strategy()) {
      case TENSOR -> Optional.of(new E4M3TensorCodec(type, cols));
      case CHANNEL ->
          Optional.of(
              new E4M3Codec(type, ScaleGrid.channel(rows, cols), WeightObserver.of(weights)));
      case GROUP ->
          groups(weights, rows, cols).map(g -> new E4M3Codec(type, g, WeightObserver.of(weights)));
      case BLOCK ->
          weights
              .blockStructure()
              .map(
                  b ->
                      new E4M3Codec(
                          type,
                          ScaleGrid.block(rows, cols, b.rows(), b.columns()),
                          WeightObserver.of(weights)));
      default -> Optional.empty();
    };
  }

  private static boolean isFloat(QuantizationArgs weights, int bits) {
    return weights.type() == QuantizationType.FLOAT
        && weights.numBits() == bits
        && weights.symmetric();
  }

  private static Optional<WeightCodec> integers(
      QuantizationScheme scheme, FloatType type, int rows, int cols) {
    QuantizationArgs weights = scheme.weights().get();
    if (!isInteger(weights)) {
      return Optional.empty();
    }
    boolean packed = scheme.formatOrDefault() == CompressionFormat.PACK_QUANTIZED;
    if (weights.strategy() == QuantizationStrategy.TENSOR) {
      if (packed && !weights.symmetric()) {
        return Optional.empty(); // its one zero point would not be packed
      }
      ScaleGrid whole = ScaleGrid.tensor(rows, cols);
      return Optional.of(
          IntCodec.tensor(
              new IntWeights(type, whole, weights.numBits(), weights.symmetric(), packed)));
    }
    Optional<ScaleGrid> grid =
        switch (weights.strategy()) {
          case CHANNEL -> Optional.of(ScaleGrid.channel(rows, cols));
          case GROUP -> groups(weights, rows, cols);
          case BLOCK ->
              weights.blockStructure().map(b -> ScaleGrid.block(rows, cols, b.rows(), b.columns()));
          default -> Optional.empty();
        };
    return grid.map(
        g ->
            new IntCodec(
                new IntWeights(type, g, weights.numBits(), weights.symmetric(), packed),
                WeightObserver.of(weights)));
  }

  /** Groups that divide the columns. */
  private static Optional<ScaleGrid> groups(QuantizationArgs weights, int rows, int cols) {
    int size = weights.groupSize().getAsInt();
    return cols % size == 0 ? Optional.of(ScaleGrid.block(rows, cols, 1, size)) : Optional.empty();
  }

  private static boolean isInteger(QuantizationArgs weights) {
    return weights.type() == QuantizationType.INT
        && weights.numBits() >= 2
        && weights.numBits() <= 8
        && weights.scaleDtype().isEmpty()
        && (weights.symmetric() || weights.zpDtype() == DType.I8)
        && !weights.hasGroupIndex();
  }

  /** Names of the preset schemes that can be computed. */
  static List<String> supportedPresets() {
    return PresetSchemes.names().stream()
        .filter(
            name -> {
              PresetSchemes.Preset preset = PresetSchemes.named(name);
              return find(preset.scheme(List.of("Linear")), FloatType.BF16, 128, 128).isPresent();
            })
        .toList();
  }
}
