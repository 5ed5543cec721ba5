package dev.quern.pipeline;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp4E2M1;
import dev.quern.engine.quantization.Nvfp4Scales;
import dev.quern.engine.quantization.Nvfp4Weights;
import dev.quern.engine.quantization.RangeObserver;
import dev.quern.engine.quantization.ScaleGrid;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * NVFP4: {@code weight_packed}, {@code weight_scale} in E4M3 for each 16 columns, and {@code
 * weight_global_scale} for the matrix, which is that of its fused set.
 */
final class Nvfp4Codec implements WeightCodec {
  private static final int PACKED = 0;
  private static final int SCALE = 1;
  private static final int GLOBAL_SCALE = 2;

  private final FloatType type;
  private final int cols;
  private final ScaleGrid grid;
  private final WeightObserver observer;
  private final Optional<RangeObserver> bound;
  private final Optional<Nvfp4Scales> scales;

  /** A codec that has to measure first, with the observer {@code memoryless_minmax}. */
  Nvfp4Codec(FloatType type, int cols) {
    this(type, 1, cols, WeightObserver.minMax());
  }

  /** A codec that has to measure first. */
  Nvfp4Codec(FloatType type, int rows, int cols, WeightObserver observer) {
    this(
        type,
        ScaleGrid.block(rows, cols, 1, Nvfp4Scales.GROUP_SIZE),
        observer,
        observer.atOnce(type),
        Optional.empty());
  }

  private Nvfp4Codec(
      FloatType type,
      ScaleGrid grid,
      WeightObserver observer,
      Optional<RangeObserver> bound,
      Optional<Nvfp4Scales> scales) {
    this.type = type;
    this.cols = grid.cols();
    this.grid = grid;
    this.observer = observer;
    this.bound = bound;
    this.scales = scales;
  }

  /** A search ends when patience does; the global scale is that of the ranges it has found. */
  @Override
  public Optional<Measurement> measurement() {
    if (scales.isPresent()) {
      return Optional.empty();
    }
    if (bound.isPresent()) {
      return Optional.of(new ObservedMaxMeasurement(type, grid, bound.get(), this::bind));
    }
    return observer
        .measurement(
            type,
            grid,
            found -> new Nvfp4Codec(type, grid, observer, Optional.of(found), Optional.empty()))
        .or(() -> Optional.of(new AbsMaxMeasurement(type, cols, true, this::bind)));
  }

  private Nvfp4Codec bind(int absMaxBits) {
    Nvfp4Scales known = Nvfp4Scales.of(type, absMaxBits);
    return new Nvfp4Codec(type, grid, observer, bound, Optional.of(known));
  }

  @Override
  public int stripRows() {
    return 1;
  }

  @Override
  public List<String> parameters() {
    return List.of("weight_packed", "weight_scale", "weight_global_scale");
  }

  @Override
  public boolean wholeMatrix(int parameter) {
    return parameter == GLOBAL_SCALE;
  }

  @Override
  public long bytes(int parameter, int rows) {
    return switch (parameter) {
      case PACKED -> (long) rows * cols / 2;
      case SCALE -> (long) rows * cols / Nvfp4Scales.GROUP_SIZE;
      case GLOBAL_SCALE -> Float.BYTES;
      default -> throw new IllegalArgumentException("parameter " + parameter);
    };
  }

  @Override
  public void compress(
      Kernels kernels, MemorySegment source, int rows, List<MemorySegment> parameters) {
    Nvfp4Scales known = scales.orElseThrow();
    Nvfp4Weights.quantize(
        kernels,
        bound,
        type,
        source,
        rows,
        cols,
        known,
        parameters.get(PACKED),
        parameters.get(SCALE));
    FloatType.F32.store(parameters.get(GLOBAL_SCALE), 0, known.global());
  }

  @Override
  public void decompressRow(
      Kernels kernels, List<MemorySegment> parameters, int rows, int row, MemorySegment target) {
    Nvfp4Weights.dequantizeRow(
        kernels,
        type,
        parameters.get(PACKED),
        parameters.get(SCALE),
        storedGlobal(parameters),
        cols,
        row,
        target);
  }

  @Override
  public float relativeBound() {
    return E2M1Bounds.relative(type);
  }

  /**
   * Beside what E2M1 does: scales below E4M3's normal numbers may be half a step, 2^-10, too small
   * for the largest weight of their group, and so may those that were subnormal in the weight's
   * type. A search cuts off more.
   */
  @Override
  public double absoluteBound(List<MemorySegment> parameters, int rows, int row, float absMax) {
    double clipped = Fp4E2M1.MAX_VALUE * (0x1p-10 / storedGlobal(parameters) + type.decode(1));
    double largest = largestScale(parameters, row);
    double cut = observer.largestCut() * Fp4E2M1.MAX_VALUE * largest * (1 + 0x1p-3);
    return E2M1Bounds.absolute(type, largest) + clipped + cut;
  }

  @Override
  public double range(List<MemorySegment> parameters, int rows, int row) {
    return Fp4E2M1.MAX_VALUE * largestScale(parameters, row);
  }

  private double largestScale(List<MemorySegment> parameters, int row) {
    int groups = cols / Nvfp4Scales.GROUP_SIZE;
    byte largest = 0; // codes without sign order like their values
    for (int g = 0; g < groups; g++) {
      byte code = parameters.get(SCALE).get(JAVA_BYTE, (long) row * groups + g);
      largest = (byte) Math.max(largest, code & 0x7F);
    }
    return Nvfp4Scales.scale(largest, storedGlobal(parameters));
  }

  private static float storedGlobal(List<MemorySegment> parameters) {
    return FloatType.F32.load(parameters.get(GLOBAL_SCALE), 0);
  }
}
