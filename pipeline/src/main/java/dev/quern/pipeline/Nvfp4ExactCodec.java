package dev.quern.pipeline;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.quantization.Nvfp4Search;
import dev.quern.engine.quantization.Nvfp4Weights;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * NVFP4 with the scales of least squared error, the observer {@code exact}. Its matrices are
 * measured twice: for the largest weight of the fused set, then for the error under each global
 * scale.
 */
final class Nvfp4ExactCodec implements WeightCodec {
  /** What is not known yet. */
  private static final int UNKNOWN = -1;

  private final FloatType type;
  private final int cols;
  private final Nvfp4Codec stored;
  private final int absMaxBits;
  private final Optional<Nvfp4Search> search;

  /** A codec that has to measure first. */
  Nvfp4ExactCodec(FloatType type, int cols) {
    this(type, cols, UNKNOWN, Optional.empty());
  }

  private Nvfp4ExactCodec(FloatType type, int cols, int absMaxBits, Optional<Nvfp4Search> search) {
    this.type = type;
    this.cols = cols;
    this.stored = new Nvfp4Codec(type, cols);
    this.absMaxBits = absMaxBits;
    this.search = search;
  }

  @Override
  public Optional<Measurement> measurement() {
    if (search.isPresent()) {
      return Optional.empty();
    }
    return Optional.of(
        absMaxBits == UNKNOWN
            ? new AbsMaxMeasurement(
                type, cols, true, bits -> new Nvfp4ExactCodec(type, cols, bits, Optional.empty()))
            : new Errors());
  }

  /** Squared errors under each global scale. */
  private final class Errors implements Measurement {
    @Override
    public long[] measure(Kernels kernels, MemorySegment source, int rows) {
      long[] errors = new long[Nvfp4Search.GLOBAL_SCALES];
      for (int c = 0; c < errors.length; c++) {
        Nvfp4Search candidate = Nvfp4Search.of(type, absMaxBits, c);
        errors[c] = candidate.squaredError(kernels, source, rows, cols);
      }
      return errors;
    }

    @Override
    public void merge(long[] into, long[] other) {
      for (int c = 0; c < into.length; c++) {
        into[c] += other[c];
      }
    }

    @Override
    public boolean concernsFusedSet() {
      return true;
    }

    @Override
    public WeightCodec bind(long[] own, long[] fusedSet) {
      int best = 0;
      for (int c = 1; c < fusedSet.length; c++) {
        best = fusedSet[c] < fusedSet[best] ? c : best;
      }
      return new Nvfp4ExactCodec(
          type, cols, absMaxBits, Optional.of(Nvfp4Search.of(type, absMaxBits, best)));
    }
  }

  @Override
  public void compress(
      Kernels kernels, MemorySegment source, int rows, List<MemorySegment> parameters) {
    Nvfp4Search found = search.orElseThrow();
    Nvfp4Weights.quantize(
        kernels, type, source, rows, cols, found, parameters.get(0), parameters.get(1));
    FloatType.F32.store(parameters.get(2), 0, found.scales().global());
  }

  @Override
  public int stripRows() {
    return stored.stripRows();
  }

  @Override
  public List<String> parameters() {
    return stored.parameters();
  }

  @Override
  public boolean wholeMatrix(int parameter) {
    return stored.wholeMatrix(parameter);
  }

  @Override
  public long bytes(int parameter, int rows) {
    return stored.bytes(parameter, rows);
  }

  @Override
  public void decompressRow(
      Kernels kernels, List<MemorySegment> parameters, int rows, int row, MemorySegment target) {
    stored.decompressRow(kernels, parameters, rows, row, target);
  }

  /**
   * The largest weight of a group may be cut off: to no less than 6 * 120 / 2688 of it, since the
   * window has scales of at least 120 / global where {@link Nvfp4Search} has one of a / 8.
   */
  @Override
  public float relativeBound() {
    return 0.75f;
  }

  @Override
  public double absoluteBound(List<MemorySegment> parameters, int rows, int row, float absMax) {
    return stored.absoluteBound(parameters, rows, row, absMax);
  }

  @Override
  public double range(List<MemorySegment> parameters, int rows, int row) {
    return stored.range(parameters, rows, row);
  }
}
