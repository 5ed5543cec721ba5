package dev.quern.pipeline;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp8E4M3;
import dev.quern.engine.quantization.E4M3Weights;
import dev.quern.engine.quantization.RangeObserver;
import dev.quern.engine.quantization.ScaleGrid;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * FP8 E4M3 with scales of the weight's own type, by row or by tile: {@code weight} and {@code
 * weight_scale}.
 */
final class E4M3Codec implements WeightCodec {
  private static final int WEIGHT = 0;
  private static final int SCALE = 1;

  private final FloatType type;
  private final ScaleGrid grid;

  private final WeightObserver observer;
  private final Optional<RangeObserver> bound;

  E4M3Codec(FloatType type, ScaleGrid grid, WeightObserver observer) {
    this(type, grid, observer, observer.atOnce(type));
  }

  private E4M3Codec(
      FloatType type, ScaleGrid grid, WeightObserver observer, Optional<RangeObserver> bound) {
    this.type = type;
    this.grid = grid;
    this.observer = observer;
    this.bound = bound;
  }

  @Override
  public Optional<Measurement> measurement() {
    return bound.isPresent()
        ? Optional.empty()
        : observer.measurement(
            type, grid, found -> new E4M3Codec(type, grid, observer, Optional.of(found)));
  }

  @Override
  public int stripRows() {
    return grid.blockRows();
  }

  @Override
  public List<String> parameters() {
    return List.of("weight", "weight_scale");
  }

  @Override
  public long bytes(int parameter, int rows) {
    ScaleGrid strip = grid.strip(rows);
    return switch (parameter) {
      case WEIGHT -> (long) rows * grid.cols();
      case SCALE -> (long) strip.gridRows() * strip.gridCols() * type.bytes();
      default -> throw new IllegalArgumentException("parameter " + parameter);
    };
  }

  @Override
  public void compress(
      Kernels kernels, MemorySegment source, int rows, List<MemorySegment> parameters) {
    ScaleGrid strip = grid.strip(rows);
    MemorySegment codes = parameters.get(WEIGHT);
    MemorySegment scales = parameters.get(SCALE);
    if (bound.isPresent()) {
      E4M3Weights.quantize(kernels, bound.get(), type, source, strip, codes, scales);
    } else {
      E4M3Weights.quantize(kernels, type, source, strip, codes, scales);
    }
  }

  @Override
  public void decompressRow(
      Kernels kernels, List<MemorySegment> parameters, int rows, int row, MemorySegment target) {
    E4M3Weights.dequantizeRow(
        kernels,
        type,
        parameters.get(WEIGHT),
        parameters.get(SCALE),
        grid.strip(rows),
        row,
        target);
  }

  @Override
  public float relativeBound() {
    return E4M3Bounds.relative(type);
  }

  /**
   * The largest scale of the row serves for all its blocks. Of a block with a smaller one, a search
   * may have cut off more than what the row's largest magnitude tells.
   */
  @Override
  public double absoluteBound(List<MemorySegment> parameters, int rows, int row, float absMax) {
    float largest = largestScale(parameters, row);
    double cut = observer.largestCut() * Fp8E4M3.MAX_VALUE * largest * (1 + 4 * type.epsilon());
    return E4M3Bounds.absolute(type, largest, absMax) + (grid.gridCols() > 1 ? cut : 0);
  }

  @Override
  public double range(List<MemorySegment> parameters, int rows, int row) {
    return Fp8E4M3.MAX_VALUE * (double) largestScale(parameters, row);
  }

  private float largestScale(List<MemorySegment> parameters, int row) {
    long first = (long) (row / grid.blockRows()) * grid.gridCols();
    float largest = 0;
    for (int g = 0; g < grid.gridCols(); g++) {
      largest = Math.max(largest, type.load(parameters.get(SCALE), (first + g) * type.bytes()));
    }
    return largest;
  }
}
