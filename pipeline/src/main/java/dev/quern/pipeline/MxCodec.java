package dev.quern.pipeline;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.E8M0;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp4E2M1;
import dev.quern.engine.numeric.Fp8E4M3;
import dev.quern.engine.quantization.MxWeights;
import dev.quern.engine.quantization.RangeObserver;
import dev.quern.engine.quantization.ScaleGrid;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * MXFP4 and MXFP8: {@code weight_packed} or {@code weight}, and {@code weight_scale} in E8M0 for
 * each 32 columns.
 */
final class MxCodec implements WeightCodec {
  private static final int WEIGHT = 0;
  private static final int SCALE = 1;

  private final FloatType type;
  private final int cols;
  private final MxWeights.Element element;

  private final ScaleGrid grid;
  private final WeightObserver observer;
  private final Optional<RangeObserver> bound;

  MxCodec(FloatType type, int rows, int cols, MxWeights.Element element, WeightObserver observer) {
    this(
        type,
        element,
        ScaleGrid.block(rows, cols, 1, MxWeights.GROUP_SIZE),
        observer,
        observer.atOnce(type));
  }

  private MxCodec(
      FloatType type,
      MxWeights.Element element,
      ScaleGrid grid,
      WeightObserver observer,
      Optional<RangeObserver> bound) {
    this.type = type;
    this.cols = grid.cols();
    this.element = element;
    this.grid = grid;
    this.observer = observer;
    this.bound = bound;
  }

  @Override
  public Optional<Measurement> measurement() {
    return bound.isPresent()
        ? Optional.empty()
        : observer.measurement(
            type, grid, found -> new MxCodec(type, element, grid, observer, Optional.of(found)));
  }

  @Override
  public int stripRows() {
    return 1;
  }

  @Override
  public List<String> parameters() {
    String weight =
        switch (element) {
          case E2M1 -> "weight_packed";
          case E4M3 -> "weight";
        };
    return List.of(weight, "weight_scale");
  }

  @Override
  public long bytes(int parameter, int rows) {
    return switch (parameter) {
      case WEIGHT -> element.bytes((long) rows * cols);
      case SCALE -> (long) rows * cols / MxWeights.GROUP_SIZE;
      default -> throw new IllegalArgumentException("parameter " + parameter);
    };
  }

  @Override
  public void compress(
      Kernels kernels, MemorySegment source, int rows, List<MemorySegment> parameters) {
    MxWeights.quantize(
        kernels,
        bound,
        type,
        element,
        source,
        rows,
        cols,
        parameters.get(WEIGHT),
        parameters.get(SCALE));
  }

  @Override
  public void decompressRow(
      Kernels kernels, List<MemorySegment> parameters, int rows, int row, MemorySegment target) {
    MxWeights.dequantizeRow(
        kernels, type, element, parameters.get(WEIGHT), parameters.get(SCALE), cols, row, target);
  }

  @Override
  public float relativeBound() {
    return switch (element) {
      case E2M1 -> E2M1Bounds.relative(type);
      case E4M3 -> E4M3Bounds.relative(type);
    };
  }

  /** No weight is cut off: quotients stay below 7 in E2M1, and below 448 in E4M3. */
  @Override
  public double absoluteBound(List<MemorySegment> parameters, int rows, int row, float absMax) {
    double scale = largestScale(parameters, row);
    double cut = observer.largestCut() * (7.0 / 6) * range(parameters, rows, row);
    return cut
        + switch (element) {
          case E2M1 -> E2M1Bounds.absolute(type, scale);
          case E4M3 -> E4M3Bounds.absolute(type, scale, 0);
        };
  }

  @Override
  public double range(List<MemorySegment> parameters, int rows, int row) {
    float largest =
        switch (element) {
          case E2M1 -> Fp4E2M1.MAX_VALUE;
          case E4M3 -> Fp8E4M3.MAX_VALUE;
        };
    return largest * largestScale(parameters, row);
  }

  private double largestScale(List<MemorySegment> parameters, int row) {
    int groups = cols / MxWeights.GROUP_SIZE;
    int largest = 0; // codes order like their values, and NaN is the largest
    for (int g = 0; g < groups; g++) {
      int code = parameters.get(SCALE).get(JAVA_BYTE, (long) row * groups + g) & 0xFF;
      largest = Math.max(largest, code);
    }
    return E8M0.decode((byte) largest);
  }
}
