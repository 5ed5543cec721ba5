package dev.quern.engine.solver;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.MaskKernels;
import dev.quern.engine.kernel.ThreadBuffer;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.memory.NativeMemory;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Tasks;
import dev.quern.engine.parallel.Workers;
import dev.quern.engine.sparsity.MaskStructure;
import dev.quern.engine.sparsity.RadixSelect;
import dev.quern.engine.sparsity.RadixSelect.Threshold;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * SparseGPT's rule: the weights that cost least, {@code w² / U[j, j]²}, become zero, and another
 * rule decides how the rest is stored. It is given zeros where weights are pruned, so a rounding to
 * codes keeps the mask, and its errors are made up for in the same sweep.
 *
 * <p>With groups the choice is made for each row when its group begins; unstructured, among all
 * rows of a block of columns when that begins. Of equal scores the weight in the earlier column
 * goes first, and of those in one column the one in the earlier row.
 */
final class MaskRule implements ColumnRule {
  private static final FloatType F32 = FloatType.F32;
  private static final int[] DIGITS = {11, 10, 10};
  private static final ThreadBuffer SCRATCH = new ThreadBuffer();

  private final Arena arena;
  private final Kernels kernels;
  private final Workers workers;
  private final MaskStructure structure;
  private final PruneBudget budget;
  private final float[] pivots;
  private final Optional<MemorySegment> fixed;
  private final ColumnRule inner;
  private final int rows;
  private final int padded;
  private final MemorySegment mask;
  private MemorySegment blockScores = MemorySegment.NULL;

  /**
   * @param options structure and share
   * @param pivots the diagonal of U
   * @param fixed the mask that the result must keep, as {@link #ofZeros} makes it
   * @param inner decides on columns whose pruned weights are zero; one column at a time
   * @param rows without padding
   */
  MaskRule(
      Arena arena,
      Kernels kernels,
      Workers workers,
      SparseGptOptions options,
      float[] pivots,
      Optional<MemorySegment> fixed,
      ColumnRule inner,
      int rows) {
    this.arena = arena;
    this.kernels = kernels;
    this.workers = workers;
    this.structure = options.structure();
    this.pivots = pivots;
    this.fixed = fixed;
    this.inner = inner;
    this.rows = rows;
    this.padded = Sweep.paddedRows(rows);
    this.mask = NativeMemory.allocate(arena, (long) pivots.length * padded);
    this.budget =
        structure.isUnstructured()
            ? new PruneBudget(rows, fixedOfColumns(), options.sparsity())
            : null;
  }

  private int[] fixedOfColumns() {
    int[] counts = new int[pivots.length];
    if (fixed.isPresent()) {
      for (int j = 0; j < counts.length; j++) {
        for (int i = 0; i < rows; i++) {
          counts[j] += fixed.get().get(JAVA_BYTE, (long) j * padded + i) == 0 ? 1 : 0;
        }
      }
    }
    return counts;
  }

  /**
   * The mask of the zeros of a matrix: one byte an element, -1 for what is kept, [columns in the
   * order of the sweep, padded rows].
   */
  static MemorySegment ofZeros(Arena arena, MaskKernels kernels, FloatMatrix weights) {
    MemorySegment mask = NativeMemory.allocate(arena, (long) weights.rows() * weights.columns());
    for (int j = 0; j < weights.rows(); j++) {
      long to = (long) j * weights.columns();
      kernels.below(weights.data(), weights.offset(j, 0), weights.columns(), 1, mask, to);
    }
    return mask;
  }

  @Override
  public int step() {
    return structure.isUnstructured() ? 1 : structure.groupSize();
  }

  @Override
  public void enterBlock(FloatMatrix weights, int begin, int end) throws InterruptedException {
    if (!structure.isUnstructured()) {
      return;
    }
    int columns = end - begin;
    long bytes = 4L * columns * padded;
    if (blockScores.byteSize() < bytes) {
      blockScores = NativeMemory.allocate(arena, bytes);
    }
    Tasks.run(
        workers,
        columns,
        (j, worker) ->
            scores(begin + j, 0, padded, weights.data(), weights.offset(j, 0), blockScores, at(j)));
    Threshold threshold = select(columns, budget.count(begin, end));
    int below = threshold.takesAllEqual() ? threshold.exclusive() : threshold.bits();
    Tasks.run(
        workers,
        columns,
        (j, worker) ->
            kernels
                .masks()
                .below(blockScores, at(j), padded, below, mask, (long) (begin + j) * padded));
    if (!threshold.takesAllEqual()) {
      pruneTies(begin, columns, threshold);
    }
  }

  private long at(int column) {
    return 4L * column * padded;
  }

  private Threshold select(int columns, long count) throws InterruptedException {
    return RadixSelect.select(
        count,
        DIGITS,
        (shift, digitBits, prefix, totals) -> {
          int[][] counts = new int[workers.threads()][];
          Tasks.run(
              workers,
              columns,
              (j, worker) -> {
                if (counts[worker] == null) {
                  counts[worker] = new int[totals.length];
                }
                kernels
                    .pruning()
                    .countDigits(
                        F32, blockScores, at(j), rows, shift, digitBits, prefix, counts[worker]);
              });
          for (int[] some : counts) {
            for (int digit = 0; some != null && digit < totals.length; digit++) {
              totals[digit] += some[digit];
            }
          }
        });
  }

  private void pruneTies(int begin, int columns, Threshold threshold) {
    long left = threshold.ties();
    for (int j = 0; j < columns && left > 0; j++) {
      for (int i = 0; i < rows && left > 0; i++) {
        if (F32.loadBits(blockScores, at(j) + 4L * i) == threshold.bits()) {
          mask.set(JAVA_BYTE, (long) (begin + j) * padded + i, (byte) 0);
          left--;
        }
      }
    }
  }

  @Override
  public void enter(
      int column,
      int columns,
      int row,
      int rowCount,
      MemorySegment weights,
      long weightsOffset,
      long stride) {
    if (structure.isUnstructured()) {
      return;
    }
    long scoreStride = 4L * rowCount;
    MemorySegment scores = SCRATCH.atLeast(columns * scoreStride);
    for (int j = 0; j < columns; j++) {
      long from = weightsOffset + j * stride;
      scores(column + j, row, rowCount, weights, from, scores, j * scoreStride);
    }
    long to = (long) column * padded + row;
    kernels
        .masks()
        .smallest(scores, 0, scoreStride, columns, rowCount, structure.pruned(), mask, to, padded);
    if (fixed.isPresent()) {
      for (int j = 0; j < columns; j++) { // a group may have had more zeros than N
        for (int i = 0; i < rowCount; i++) {
          long at = to + (long) j * padded + i;
          byte kept = fixed.get().get(JAVA_BYTE, at);
          mask.set(JAVA_BYTE, at, (byte) (kept & mask.get(JAVA_BYTE, at)));
        }
      }
    }
  }

  /** What must be zero scores nothing. */
  private void scores(
      int column, int row, int n, MemorySegment weights, long from, MemorySegment scores, long to) {
    kernels.masks().scores(weights, from, n, pivots[column], scores, to);
    if (fixed.isPresent()) {
      long maskAt = (long) column * padded + row;
      kernels.masks().apply(scores, to, fixed.get(), maskAt, n, scores, to);
    }
  }

  @Override
  public void store(
      int column,
      int row,
      int rowCount,
      MemorySegment weights,
      long weightsOffset,
      MemorySegment stored,
      long storedOffset) {
    MemorySegment kept = SCRATCH.atLeast(4L * rowCount);
    long maskAt = (long) column * padded + row;
    kernels.masks().apply(weights, weightsOffset, mask, maskAt, rowCount, kept, 0);
    inner.store(column, row, rowCount, kept, 0, stored, storedOffset);
  }
}
