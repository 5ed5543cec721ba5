package dev.quern.engine.solver;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.linalg.Workspace;
import dev.quern.engine.memory.NativeMemory;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Tasks;
import dev.quern.engine.parallel.Workers;
import dev.quern.engine.quantization.RangeObserver;
import dev.quern.engine.sparsity.Magnitude;
import dev.quern.engine.sparsity.MaskStructure;
import dev.quern.engine.sparsity.Sparsity;
import dev.quern.engine.sparsity.WeightMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * SparseGPT: weights become zero column by column, and the columns behind make up for the error in
 * the layer's output.
 *
 * <pre>
 *   W      weights [rows, n]                         dW = stored - W
 *   H      Hessian [n, n] of the layer's error       layer error = tr(dW H dWᵀ)
 *   λ      dampening, in units of the mean of H's diagonal
 *   U      upper triangular, UᵀU = (H + λ mean I)⁻¹
 *
 *   1.  dead columns, H[j, j] = 0:  W[:, j] = 0,  H[j, j] = 1
 *   2.  U     = factor of (H + λ mean I)⁻¹
 *   3.  sweep over the columns (Sweep):
 *         N:M           when a group begins, the N weights of each row with the least w² / U[j, j]²
 *         unstructured  when a block begins, its share of the target, of all its rows
 *         become zero; what stays is rounded to its type, or to codes
 * </pre>
 *
 * <p>Zeros are exact: N in each group, and unstructured the number that {@link Sparsity#count}
 * says. With a format the matrix is quantized in the same sweep, and its zeros are codes of 0.
 *
 * <p>Sources: Frantar and Alistarh, "SparseGPT", arXiv:2301.00774; llm-compressor at commit {@code
 * ab1ba3ef}, {@code sgpt_sparsify.sparsify_weight}. What differs from the latter is in {@code
 * docs/deviations.md}; the options that it lacks are described in {@code docs/solvers.md}.
 */
public final class SparseGpt {
  private final Kernels kernels;
  private final Workers workers;

  /**
   * @param workers not closed by this; nothing else may run on them during a solve
   */
  public SparseGpt(Kernels kernels, Workers workers) {
    this.kernels = kernels;
    this.workers = workers;
  }

  /**
   * A pruned matrix.
   *
   * @param weights of the source's type and shape
   * @param loss half the sum of E² over all elements, as the reference logs it: what the change of
   *     the weights costs with the damped Hessian; with a refit it is that of the sweep before
   * @param dampening what was added to the Hessian's diagonal, in units of its mean; more than was
   *     asked for when the Hessian would not be factored otherwise
   * @param byMagnitude whether the Hessian was zero, nothing having gone through the layer, and the
   *     matrix was pruned by magnitude instead
   */
  public record Result(WeightMatrix weights, double loss, float dampening, boolean byMagnitude) {}

  /**
   * Prunes a matrix. The same input gives the same result, bit for bit, for any number of threads
   * and on every CPU.
   *
   * <p>Takes, beside the result, native memory of about 7 bytes an element of 16-bit weights and 4
   * of the Hessian; a refit takes 20 more of each element.
   *
   * @param arena owns the result
   * @param source weights
   * @param hessian of the layer, as many features as the weights have columns
   * @throws IllegalArgumentException when shapes do not fit, or more weights are zero already than
   *     a mask to be preserved allows
   * @throws ArithmeticException when a weight is NaN or infinite, or weights overflow while they
   *     make up for others
   * @throws dev.quern.engine.linalg.NotPositiveDefiniteException when the Hessian has no factor,
   *     however much is added to its diagonal
   * @throws java.util.concurrent.CancellationException when {@code progress} says so
   */
  public Result prune(
      Arena arena,
      WeightMatrix source,
      Hessian hessian,
      SparseGptOptions options,
      Progress progress)
      throws InterruptedException {
    check(source, hessian, options);
    if (hessian.isZero()) {
      return new Result(byMagnitude(arena, source, options), 0, 0, true);
    }
    int rows = source.rows();
    int n = source.columns();
    FloatType type = source.type();
    int[] order = order(hessian, options);
    try (Arena scratch = Arena.ofShared();
        Workspace workspace = new Workspace(kernels, workers)) {
      FloatMatrix w =
          Layout.transposed(scratch, kernels, workers, type, rows, source.data(), order);
      Optional<MemorySegment> fixed =
          options.preserveMask()
              ? Optional.of(MaskRule.ofZeros(scratch, kernels.masks(), w))
              : Optional.empty();
      DampedFactor factor =
          DampedFactor.of(scratch, workers, workspace, hessian, order, w, options.dampening());
      TypeRule stored = new TypeRule(scratch, kernels, type, rows, n);
      MaskRule rule =
          new MaskRule(scratch, kernels, workers, options, factor.pivots(), fixed, stored, rows);
      double[] losses =
          Sweep.run(
              kernels, workers, workspace, w, factor.u(), rule, options.blockSize(), progress);
      double loss = 0;
      for (int row = 0; row < rows; row++) {
        if (!Double.isFinite(losses[row])) {
          throw new ArithmeticException(
              "row "
                  + row
                  + ": weights overflow "
                  + type
                  + " while they make up for others; raise the dampening, or ignore the module");
        }
        loss += losses[row];
      }
      WeightMatrix pruned = rowMajor(arena, source, stored.weights(), order);
      if (options.refit() > 0) {
        new MaskRefit(kernels, workers)
            .refit(source, pruned, hessian, factor.dampening(), options.refit());
      }
      return new Result(pruned, 0.5 * loss, factor.dampening(), false);
    }
  }

  /**
   * Prunes and quantizes a matrix in one sweep: what is pruned has code 0, or the zero point, and
   * both errors are made up for together. Scales come from the weights as they were. With a zero
   * Hessian it is pruned by magnitude and rounded.
   *
   * <p>With a refit there are two sweeps: the matrix is pruned and refitted first, and the second
   * sweep rounds what was kept; scales then come from the refitted weights, and progress is told of
   * both. The refit leaves an error that the kept weights cannot lower, so what rounding adds comes
   * on top of less.
   *
   * @param sparsity its mask; order, block size and dampening are those of {@code options}
   * @param options how the matrix is quantized; order none, or static with the columns of a group
   *     together, and scales that are not updated on the way
   * @see Gptq#solve(Arena, StoredFormat, RangeObserver, MemorySegment, Hessian, GptqOptions,
   *     Progress)
   */
  public GptqResult pruneAndQuantize(
      Arena arena,
      StoredFormat format,
      RangeObserver observer,
      MemorySegment weights,
      Hessian hessian,
      SparseGptOptions sparsity,
      GptqOptions options,
      Progress progress)
      throws InterruptedException {
    WeightMatrix source =
        new WeightMatrix(format.type(), format.grid().rows(), format.grid().cols(), weights);
    check(source, hessian, sparsity);
    if (options.order() == ActivationOrder.GROUP) {
      throw new IllegalArgumentException(
          "actorder group goes by groups of scales, and a mask by its own; choose none or static"
              + " where a matrix is pruned and quantized together");
    }
    if (options.scaleUpdate()) {
      throw new IllegalArgumentException(
          "scaleUpdate looks at the weights of a whole group before they are pruned; leave it out"
              + " where a matrix is pruned and quantized together");
    }
    Gptq gptq = new Gptq(kernels, workers);
    if (hessian.isZero()) {
      try (Arena scratch = Arena.ofShared()) {
        MemorySegment pruned = byMagnitude(scratch, source, sparsity).data();
        return gptq.solve(arena, format, observer, pruned, hessian, options, progress);
      }
    }
    if (sparsity.refit() > 0) {
      try (Arena scratch = Arena.ofShared()) {
        SparseGptOptions first =
            sparsity
                .withOrder(options.order())
                .withBlockSize(options.blockSize())
                .withDampening(options.dampening());
        WeightMatrix pruned = prune(scratch, source, hessian, first, progress).weights();
        SparseGptOptions sameMask = sparsity.withPreserveMask(true).withSparsity(shareOf(pruned));
        return gptq.solve(
            arena,
            format,
            observer,
            pruned.data(),
            hessian,
            Optional.of(sameMask),
            options,
            progress);
      }
    }
    return gptq.solve(
        arena, format, observer, weights, hessian, Optional.of(sparsity), options, progress);
  }

  /** A share that means exactly the zeros that there are. */
  private double shareOf(WeightMatrix pruned) {
    long zeros = 0;
    for (int row = 0; row < pruned.rows(); row++) {
      zeros += zeros(pruned, row);
    }
    return Math.min(1, (zeros + 0.5) / pruned.elements());
  }

  private int zeros(WeightMatrix matrix, int row) {
    return kernels
        .pruning()
        .countEqual(matrix.type(), matrix.data(), matrix.offset(row), matrix.columns(), 0);
  }

  private void check(WeightMatrix source, Hessian hessian, SparseGptOptions options) {
    options.structure().requireFits(source.columns());
    Sparsity.count(options.sparsity(), source.elements());
    if (hessian.features() != source.columns()) {
      throw new IllegalArgumentException(
          "weights of "
              + source.columns()
              + " columns need a Hessian of as many features; found "
              + hessian.features());
    }
    for (int row = 0; row < source.rows(); row++) {
      source.requireFinite(kernels, row);
    }
    if (options.preserveMask() && options.structure().isUnstructured()) {
      requireRoom(source, options.sparsity());
    }
  }

  /** Before anything is computed: zeros that stay must not exceed the target. */
  private void requireRoom(WeightMatrix source, double sparsity) {
    int[] zeros = new int[source.rows()];
    for (int row = 0; row < zeros.length; row++) {
      zeros[row] = zeros(source, row);
    }
    PruneBudget.require(source.columns(), zeros, sparsity);
  }

  private static int[] order(Hessian hessian, SparseGptOptions options) {
    return options.order() == ActivationOrder.NONE
        ? IntStream.range(0, hessian.features()).toArray()
        : hessian.largestFirst(options.run());
  }

  private WeightMatrix byMagnitude(Arena arena, WeightMatrix source, SparseGptOptions options)
      throws InterruptedException {
    WeightMatrix target = like(arena, source);
    MaskStructure structure = options.structure();
    Magnitude.prune(kernels, workers, source, structure, options.sparsity(), target);
    return target;
  }

  private static WeightMatrix like(Arena arena, WeightMatrix source) {
    return new WeightMatrix(
        source.type(),
        source.rows(),
        source.columns(),
        NativeMemory.allocate(arena, source.data().byteSize()));
  }

  /** Back to rows, columns as they were. */
  private WeightMatrix rowMajor(Arena arena, WeightMatrix source, MemorySegment stored, int[] order)
      throws InterruptedException {
    WeightMatrix target = like(arena, source);
    int bytes = source.type().bytes();
    long padded = Sweep.paddedRows(source.rows());
    int strip = 64 / bytes; // one cache line of what is read
    Tasks.run(
        workers,
        Math.ceilDiv(source.rows(), strip),
        (task, worker) -> {
          int begin = task * strip;
          int end = Math.min(source.rows(), begin + strip);
          for (int j = 0; j < order.length; j++) {
            for (int row = begin; row < end; row++) {
              long from = (j * padded + row) * bytes;
              long to = source.offset(row) + (long) order[j] * bytes;
              if (bytes == Short.BYTES) {
                target.data().set(SHORT, to, stored.get(SHORT, from));
              } else {
                target.data().set(INT, to, stored.get(INT, from));
              }
            }
          }
        });
    return target;
  }

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
}
