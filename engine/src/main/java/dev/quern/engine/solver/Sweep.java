package dev.quern.engine.solver;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.SweepKernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.linalg.Gemm;
import dev.quern.engine.linalg.Workspace;
import dev.quern.engine.memory.NativeMemory;
import dev.quern.engine.parallel.Tasks;
import dev.quern.engine.parallel.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.concurrent.CancellationException;

/**
 * The sweep of Optimal Brain Surgeon over the columns of a matrix, as GPTQ arranged it: each column
 * is decided on, and the columns behind it make up for its error.
 *
 * <pre>
 *   W   weights [rows, n], columns in the order of the sweep
 *   H   Hessian of the layer's error, [n, n];  layer error = tr(dW H dWᵀ)
 *   U   upper triangular, UᵀU = H⁻¹
 *   Q   what is stored instead of W
 *   E   errors, E = (Q - W) / U[j, j] when column j's turn comes
 *
 *   for j = 0 .. n-1:
 *     Q[:, j]  = rule(W[:, j])
 *     E[:, j]  = (Q[:, j] - W[:, j]) / U[j, j]
 *     W[:, j+1:] += E[:, j] U[j, j+1:]                      one fma each
 *   the layer's error is the sum of all E²
 * </pre>
 *
 * <p>So an element of W takes one fused multiply-add for each column before its own, in ascending
 * order, and that is the law: it does not say when. The sweep therefore halves the columns again
 * and again, does the left half, hands its errors to the right half in one matrix product, and does
 * the right half. (The paper hands errors on after each block of 128 columns, "lazy batch updates";
 * the sums are the same, and so are the bits.) Below the size of a block the rows, which know
 * nothing of each other, are cut into strips that fit a cache, one task each.
 *
 * <p>Source: Frantar et al., "GPTQ", arXiv:2210.17323, algorithm 1; signs of E and W are exchanged
 * so that updates are sums.
 */
public final class Sweep {
  /** Rows are padded with zeros to a multiple of this, two of the widest vectors. */
  public static final int ROW_MULTIPLE = 32;

  /** Rows of a strip: 128 columns of them, and what they are multiplied with, fit a core's L2. */
  private static final int STRIP = 128;

  /** Columns of a strip that are done one after the other, without halving. */
  private static final int LEAF = 8;

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final SweepKernels kernels;
  private final Workers workers;
  private final Workspace workspace;
  private final FloatMatrix weights;
  private final FloatMatrix factor;
  private final ColumnRule rule;
  private final int blockSize;
  private final Progress progress;
  private final double[] losses;
  private final MemorySegment factorBlock;
  private final MemorySegment[] scratch;

  private Sweep(
      Kernels kernels,
      Workers workers,
      Workspace workspace,
      FloatMatrix weights,
      FloatMatrix factor,
      ColumnRule rule,
      int blockSize,
      Progress progress,
      Arena arena) {
    this.kernels = kernels.sweep();
    this.workers = workers;
    this.workspace = workspace;
    this.weights = weights;
    this.factor = factor;
    this.rule = rule;
    // A block larger than the matrix needs no more memory than the matrix.
    int columns = Math.min(blockSize, Math.max(1, weights.rows()));
    this.blockSize = Math.ceilDiv(columns, rule.step()) * rule.step();
    this.progress = progress;
    this.losses = new double[weights.columns()];
    long square = (long) Float.BYTES * this.blockSize * this.blockSize;
    this.factorBlock = NativeMemory.allocate(arena, square);
    this.scratch = new MemorySegment[workers.threads()];
    long strip = (long) Float.BYTES * STRIP * (this.blockSize + 2);
    for (int i = 0; i < scratch.length; i++) {
      scratch[i] = NativeMemory.allocate(arena, strip);
    }
  }

  /** Rows with their padding. */
  public static int paddedRows(int rows) {
    return Math.ceilDiv(rows, ROW_MULTIPLE) * ROW_MULTIPLE;
  }

  /**
   * Goes through all columns.
   *
   * @param workspace on the same workers
   * @param weights W transposed, [n, {@link #paddedRows}], a row for each column in the order of
   *     the sweep; holds E transposed afterwards
   * @param factor U
   * @param rule decides on columns
   * @param blockSize columns between two updates of the rest of the matrix, at least 1; rounded up
   *     to whole steps of the rule. No result depends on it, unless the rule's does
   * @return for each row with its padding, the sum of E²: what the row adds to the layer's error.
   *     Sums of a block are binary32, those of blocks binary64
   * @throws CancellationException when {@code progress} says so; the weights are then arbitrary
   */
  public static double[] run(
      Kernels kernels,
      Workers workers,
      Workspace workspace,
      FloatMatrix weights,
      FloatMatrix factor,
      ColumnRule rule,
      int blockSize,
      Progress progress)
      throws InterruptedException {
    try (Arena arena = Arena.ofShared()) {
      Sweep sweep =
          new Sweep(kernels, workers, workspace, weights, factor, rule, blockSize, progress, arena);
      sweep.columns(0, weights.rows());
      progress.columns(weights.rows(), weights.rows());
      return sweep.losses;
    }
  }

  private void columns(int begin, int end) throws InterruptedException {
    if (end - begin <= blockSize) {
      block(begin, end);
      return;
    }
    int blocks = Math.ceilDiv(end - begin, blockSize);
    int middle = begin + Math.ceilDiv(blocks, 2) * blockSize;
    columns(begin, middle);
    Gemm.add(
        workspace,
        factor.view(begin, middle, middle - begin, end - middle).transposed(),
        weights.view(begin, 0, middle - begin, weights.columns()).operand(),
        weights.view(middle, 0, end - middle, weights.columns()));
    columns(middle, end);
  }

  private void block(int begin, int end) throws InterruptedException {
    if (!progress.columns(begin, weights.rows())) {
      throw new CancellationException("cancelled at column " + begin + " of " + weights.rows());
    }
    int rows = weights.columns();
    rule.enterBlock(weights.view(begin, 0, end - begin, rows), begin, end);
    for (int k = begin; k < end; k++) {
      MemorySegment.copy(
          factor.data(),
          factor.offset(k, begin),
          factorBlock,
          factorRow(k - begin),
          (long) Float.BYTES * (end - begin));
    }
    Tasks.run(
        workers,
        Math.ceilDiv(rows, STRIP),
        (task, worker) -> {
          int row = task * STRIP;
          new Strip(begin, end, row, Math.min(STRIP, rows - row), scratch[worker]).run();
        });
  }

  private long factorRow(int k) {
    return (long) Float.BYTES * k * blockSize;
  }

  /** The columns of a block in some rows, copied to where they lie close together. */
  private final class Strip {
    private final int begin;
    private final int columns;
    private final int row;
    private final int rows;
    private final MemorySegment w;
    private final long stride = (long) Float.BYTES * STRIP;
    private final long stored;
    private final long squares;

    Strip(int begin, int end, int row, int rows, MemorySegment w) {
      this.begin = begin;
      this.columns = end - begin;
      this.row = row;
      this.rows = rows;
      this.w = w;
      this.stored = blockSize * stride;
      this.squares = stored + stride;
    }

    void run() {
      long bytes = (long) Float.BYTES * rows;
      for (int j = 0; j < columns; j++) {
        MemorySegment.copy(weights.data(), weights.offset(begin + j, row), w, j * stride, bytes);
      }
      halves(0, columns);
      for (int j = 0; j < columns; j++) {
        MemorySegment.copy(w, j * stride, weights.data(), weights.offset(begin + j, row), bytes);
      }
      w.asSlice(squares, bytes).fill((byte) 0);
      kernels.addSquares(w, 0, stride, columns, w, squares, rows);
      for (int i = 0; i < rows; i++) {
        losses[row + i] += w.get(FLOAT, squares + (long) Float.BYTES * i);
      }
    }

    private void halves(int first, int end) {
      int count = end - first;
      int step = rule.step();
      if (first % step == 0 && end == Math.min(first + step, columns)) {
        enter(first, end);
      }
      if (count <= LEAF) {
        oneByOne(first, end);
        return;
      }
      int half = Math.ceilDiv(count, 2);
      int middle = first + (count > step ? Math.ceilDiv(half, step) * step : half);
      halves(first, middle);
      update(first, middle, middle, end);
      halves(middle, end);
    }

    private void oneByOne(int first, int end) {
      int step = rule.step();
      boolean severalSteps = end - first > step;
      for (int j = first; j < end; j++) {
        if (severalSteps && j % step == 0) {
          enter(j, Math.min(j + step, columns));
        }
        long at = j * stride;
        rule.store(begin + j, row, rows, w, at, w, stored);
        float pivot = factorBlock.get(FLOAT, factorRow(j) + (long) Float.BYTES * j);
        kernels.errors(w, stored, w, at, rows, pivot, w, at);
        update(j, j + 1, j + 1, end);
      }
    }

    private void enter(int first, int end) {
      rule.enter(begin + first, end - first, row, rows, w, first * stride, stride);
    }

    /** Columns from {@code to} on make up for the errors of some before them. */
    private void update(int from, int fromEnd, int to, int toEnd) {
      kernels.update(
          w,
          from * stride,
          stride,
          fromEnd - from,
          factorBlock,
          factorRow(from) + (long) Float.BYTES * to,
          factorRow(1),
          w,
          to * stride,
          stride,
          toEnd - to,
          rows);
    }
  }
}
