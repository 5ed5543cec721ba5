package dev.quern.pipeline;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp8E4M3;
import dev.quern.engine.quantization.E4M3Weights;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * FP8 E4M3 with one scale for the whole matrix, in the weight's own type: {@code weight} and {@code
 * weight_scale}.
 */
final class E4M3TensorCodec implements WeightCodec {
  private static final int WEIGHT = 0;
  private static final int SCALE = 1;

  private final FloatType type;
  private final int cols;
  private final float scale;

  /** A codec that has to measure first. */
  E4M3TensorCodec(FloatType type, int cols) {
    this(type, cols, Float.NaN);
  }

  private E4M3TensorCodec(FloatType type, int cols, float scale) {
    this.type = type;
    this.cols = cols;
    this.scale = scale;
  }

  @Override
  public Optional<Measurement> measurement() {
    return Float.isNaN(scale)
        ? Optional.of(
            new AbsMaxMeasurement(
                type,
                cols,
                false,
                maxBits -> new E4M3TensorCodec(type, cols, E4M3Weights.scale(type, maxBits))))
        : Optional.empty();
  }

  @Override
  public int stripRows() {
    return 1;
  }

  @Override
  public List<String> parameters() {
    return List.of("weight", "weight_scale");
  }

  @Override
  public boolean wholeMatrix(int parameter) {
    return parameter == SCALE;
  }

  @Override
  public long bytes(int parameter, int rows) {
    return switch (parameter) {
      case WEIGHT -> (long) rows * cols;
      case SCALE -> type.bytes();
      default -> throw new IllegalArgumentException("parameter " + parameter);
    };
  }

  @Override
  public void compress(
      Kernels kernels, MemorySegment source, int rows, List<MemorySegment> parameters) {
    type.store(parameters.get(SCALE), 0, scale);
    for (int row = 0; row < rows; row++) {
      long begin = (long) row * cols;
      kernels.quantizeE4M3(
          type, source, begin * type.bytes(), cols, scale, parameters.get(WEIGHT), begin);
    }
  }

  @Override
  public void decompressRow(
      Kernels kernels, List<MemorySegment> parameters, int rows, int row, MemorySegment target) {
    float stored = storedScale(parameters);
    kernels.dequantizeE4M3(
        type, parameters.get(WEIGHT), (long) row * cols, cols, stored, target, 0);
  }

  @Override
  public float relativeBound() {
    return E4M3Bounds.relative(type);
  }

  @Override
  public double absoluteBound(List<MemorySegment> parameters, int rows, int row, float absMax) {
    return E4M3Bounds.absolute(type, storedScale(parameters), absMax);
  }

  @Override
  public double range(List<MemorySegment> parameters, int rows, int row) {
    return Fp8E4M3.MAX_VALUE * (double) storedScale(parameters);
  }

  private float storedScale(List<MemorySegment> parameters) {
    return type.load(parameters.get(SCALE), 0);
  }
}
