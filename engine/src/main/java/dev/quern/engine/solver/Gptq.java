package dev.quern.engine.solver;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.linalg.Workspace;
import dev.quern.engine.parallel.Tasks;
import dev.quern.engine.parallel.Workers;
import dev.quern.engine.quantization.AbsMax;
import dev.quern.engine.quantization.RangeObserver;
import dev.quern.engine.quantization.ScaleGrid;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * GPTQ: weights are rounded column by column, and the columns not yet rounded make up for the error
 * in the layer's output.
 *
 * <pre>
 *   W      weights [rows, n]                         dW = stored - W
 *   H      Hessian [n, n] of the layer's error       layer error = tr(dW H dWᵀ)
 *   p      order of the columns                      (actorder)
 *   s, z   scales and zero points of groups
 *   λ      dampening, in units of the mean of H's diagonal
 *   U      upper triangular, UᵀU = (H + λ mean I)⁻¹
 *
 *   1.  p     = columns by H[j, j], largest first, unless actorder is none
 *   2.  s, z  = from the range of each group of W; with actorder group, of W[:, p]
 *   3.  W, H  = W[:, p], H[p, p]
 *   4.  dead columns, H[j, j] = 0:  W[:, j] = 0,  H[j, j] = 1
 *   5.  U     = factor of (H + λ mean I)⁻¹
 *   6.  sweep over the columns (Sweep): round to the format, hand the error on
 *   7.  codes = codes[:, p⁻¹]
 * </pre>
 *
 * <p>Errors are those of the weights that a reader will compute, {@code R(level * scale)} in the
 * weights' type, not of the exact products.
 *
 * <p>Sources: Frantar et al., "GPTQ", arXiv:2210.17323; llm-compressor at commit {@code ab1ba3ef},
 * {@code quantize_weight}. What differs from the latter is in {@code docs/deviations.md}. The
 * options that it lacks are described in {@code docs/solvers.md}, with what they gain.
 */
public final class Gptq {
  private final Kernels kernels;
  private final Workers workers;

  /**
   * @param workers not closed by this; nothing else may run on them during a solve
   */
  public Gptq(Kernels kernels, Workers workers) {
    this.kernels = kernels;
    this.workers = workers;
  }

  /**
   * Quantizes one matrix; {@code observer} is the format's own.
   *
   * @see #solve(Arena, StoredFormat, RangeObserver, MemorySegment, Hessian, GptqOptions, Progress)
   */
  public GptqResult solve(
      Arena arena,
      StoredFormat format,
      MemorySegment weights,
      Hessian hessian,
      GptqOptions options,
      Progress progress)
      throws InterruptedException {
    return solve(arena, format, format.minMax(), weights, hessian, options, progress);
  }

  /**
   * Quantizes one matrix. The same input gives the same result, bit for bit, for any number of
   * threads and on every CPU.
   *
   * <p>Takes, beside the result, native memory of about 5 bytes an element of the weights and 4 of
   * the Hessian; with {@code actorder} group 2 more, with {@code scaleRefit} 8 more, and 4 more of
   * the Hessian.
   *
   * @param arena owns the result's codes
   * @param observer finds the ranges that scales come from
   * @param weights row-major, of the format's type and grid
   * @param hessian of the layer, as many features as the weights have columns
   * @throws dev.quern.engine.quantization.NonFiniteWeightException when a weight is NaN or infinite
   * @throws IllegalArgumentException when shapes do not fit, or options and format do not
   * @throws dev.quern.engine.linalg.NotPositiveDefiniteException when the Hessian has no factor,
   *     however much is added to its diagonal
   * @throws ArithmeticException when updated weights overflow, as they may with weights near the
   *     largest number of their type
   * @throws java.util.concurrent.CancellationException when {@code progress} says so
   */
  public GptqResult solve(
      Arena arena,
      StoredFormat format,
      RangeObserver observer,
      MemorySegment weights,
      Hessian hessian,
      GptqOptions options,
      Progress progress)
      throws InterruptedException {
    return solve(arena, format, observer, weights, hessian, Optional.empty(), options, progress);
  }

  /** The same for weights of which some become zero in the same sweep. */
  GptqResult solve(
      Arena arena,
      StoredFormat format,
      RangeObserver observer,
      MemorySegment weights,
      Hessian hessian,
      Optional<SparseGptOptions> sparsity,
      GptqOptions options,
      Progress progress)
      throws InterruptedException {
    check(format, weights, hessian, options);
    ScaleGrid grid = format.grid();
    int n = grid.cols();
    boolean byGroup = options.order() == ActivationOrder.GROUP && isGrouped(format);
    int[] p = order(hessian, options, byGroup, sparsity.map(SparseGptOptions::run).orElse(1));
    int[] position = byGroup ? IntStream.range(0, n).toArray() : p;
    int[] groups = IntStream.of(position).map(j -> j / grid.blockCols()).toArray();

    try (Arena scratch = Arena.ofShared();
        Workspace workspace = new Workspace(kernels, workers)) {
      Layout layout = new Layout(kernels, workers, format, weights, p);
      GroupScales scales = new GroupScales(scratch, format);
      scales.observe(kernels, observer, byGroup ? layout.ordered(scratch) : weights);
      FloatMatrix w = layout.transposed(scratch);
      if (hessian.isZero()) {
        return round(arena, layout, scales, w, groups, byGroup);
      }
      Optional<MemorySegment> fixed =
          sparsity.filter(SparseGptOptions::preserveMask).isPresent()
              ? Optional.of(MaskRule.ofZeros(scratch, kernels.masks(), w))
              : Optional.empty();
      DampedFactor factor =
          DampedFactor.of(scratch, workers, workspace, hessian, p, w, options.dampening());
      float[] importance = importance(factor.pivots());
      if (options.scaleSearch() && !options.scaleUpdate()) {
        choice(scales, groups, importance, options).chooseAll(workers, w);
      }

      Optional<ScaleChoice> update =
          options.scaleUpdate()
              ? Optional.of(choice(scales, groups, importance, options))
              : Optional.empty();
      QuantizeRule rule = new QuantizeRule(scratch, kernels.sweep(), scales, groups, update);
      ColumnRule sweepRule =
          sparsity.isPresent()
              ? new MaskRule(
                  scratch,
                  kernels,
                  workers,
                  sparsity.get(),
                  factor.pivots(),
                  fixed,
                  rule,
                  grid.rows())
              : rule;
      double[] losses =
          Sweep.run(
              kernels, workers, workspace, w, factor.u(), sweepRule, options.blockSize(), progress);
      requireFinite(losses, grid.rows(), format);
      if (options.scaleRefit() > 0) {
        new ScaleRefit(workers, workspace, layout, hessian, scales, groups)
            .run(scratch, rule.codes(), options.scaleRefit());
      }
      return result(
          layout.codes(arena, rule.codes()),
          scales,
          layout.columnGroups(groups, byGroup),
          0.5 * sum(losses),
          factor.dampening(),
          false);
    }
  }

  private static int[] order(Hessian hessian, GptqOptions options, boolean byGroup, int run) {
    boolean natural =
        options.order() == ActivationOrder.NONE
            || options.order() == ActivationOrder.GROUP && !byGroup;
    return natural ? IntStream.range(0, hessian.features()).toArray() : hessian.largestFirst(run);
  }

  /** Groups of columns, one group that is the whole row among them. */
  private static boolean isGrouped(StoredFormat format) {
    return format.grid().blockRows() == 1;
  }

  private ScaleChoice choice(
      GroupScales scales, int[] groups, float[] importance, GptqOptions options) {
    float[] shrinks = options.scaleSearch() ? ScaleChoice.searchShrinks() : ScaleChoice.RANGE_ONLY;
    return new ScaleChoice(kernels.sweep(), scales, groups, importance, shrinks);
  }

  /** What an error in a column costs when those behind it make up for it: 1 / U[j, j]². */
  private static float[] importance(float[] pivots) {
    float[] importance = new float[pivots.length];
    for (int j = 0; j < importance.length; j++) {
      importance[j] = 1 / (pivots[j] * pivots[j]);
    }
    return importance;
  }

  /** Nothing is known of the layer's inputs: every weight to its nearest code. */
  private GptqResult round(
      Arena arena, Layout layout, GroupScales scales, FloatMatrix w, int[] groups, boolean byGroup)
      throws InterruptedException {
    try (Arena scratch = Arena.ofShared()) {
      QuantizeRule rule =
          new QuantizeRule(scratch, kernels.sweep(), scales, groups, Optional.empty());
      long stored = 4L * w.columns();
      MemorySegment target = scratch.allocate(stored * workers.threads(), 64);
      Tasks.run(
          workers,
          w.rows(),
          (j, worker) ->
              rule.store(j, 0, w.columns(), w.data(), w.offset(j, 0), target, worker * stored));
      return result(
          layout.codes(arena, rule.codes()),
          scales,
          layout.columnGroups(groups, byGroup),
          0,
          0,
          true);
    }
  }

  private static GptqResult result(
      MemorySegment codes,
      GroupScales scales,
      Optional<int[]> groupIndex,
      double loss,
      float dampening,
      boolean rounded) {
    return new GptqResult(
        scales.format(),
        codes,
        scales.stored(),
        scales.zeroPoints(),
        groupIndex,
        loss,
        dampening,
        rounded);
  }

  private void check(
      StoredFormat format, MemorySegment weights, Hessian hessian, GptqOptions options) {
    ScaleGrid grid = format.grid();
    if (hessian.features() != grid.cols()) {
      throw new IllegalArgumentException(
          "weights of "
              + grid.cols()
              + " columns need a Hessian of as many features; found "
              + hessian.features());
    }
    long bytes = (long) grid.rows() * grid.cols() * format.type().bytes();
    if (weights.byteSize() < bytes) {
      throw new IllegalArgumentException(
          "weights ["
              + grid.rows()
              + ", "
              + grid.cols()
              + "] of "
              + format.type()
              + " take "
              + bytes
              + " bytes; found "
              + weights.byteSize());
    }
    if ((options.choosesScales() || options.scaleRefit() > 0) && !format.scalesBelongToRows()) {
      throw new IllegalArgumentException(
          "scales that rows share, as of tensors and tiles, are neither searched for nor updated;"
              + " leave out scaleUpdate, scaleSearch and scaleRefit");
    }
    AbsMax.ofRows(kernels, format.type(), weights, grid.rows(), grid.cols());
  }

  private static void requireFinite(double[] losses, int rows, StoredFormat format) {
    for (int row = 0; row < rows; row++) {
      if (!Double.isFinite(losses[row])) {
        throw new ArithmeticException(
            "row "
                + row
                + ": weights overflow "
                + format.type()
                + " while they make up for the"
                + " errors of others; raise the dampening, or ignore the module");
      }
    }
  }

  private static double sum(double[] losses) {
    double sum = 0;
    for (double loss : losses) {
      sum += loss;
    }
    return sum;
  }
}
