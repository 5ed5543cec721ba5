package dev.quern.pipeline.source;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.PruneKernels;
import dev.quern.engine.memory.NativeMemory;
import dev.quern.engine.memory.Scratch;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.sparsity.MaskStructure;
import dev.quern.engine.sparsity.RadixSelect;
import dev.quern.engine.sparsity.RadixSelect.Threshold;
import dev.quern.engine.sparsity.Sparsity;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.safetensors.TensorSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * A matrix whose smallest weights are zero: {@link dev.quern.engine.sparsity.Magnitude} strip by
 * strip, so that whatever reads a plain matrix reads a pruned one. Zeros in groups are a matter of
 * each row. Zeros anywhere need the threshold of the whole matrix, which the first reader finds.
 *
 * <p>The same weights become zero as by {@code Magnitude.prune}: of equal magnitudes those that
 * come first.
 */
final class PrunedWeight implements SourceWeight {
  private static final long STRIP = 1 << 22;

  /** One pass for 16-bit types, two for binary32. */
  private static final int[] DIGITS_16 = {15};

  private static final int[] DIGITS_32 = {15, 16};

  /**
   * What becomes zero: below {@code bits} everything, and of what equals it all in rows before
   * {@code tieRow}, and the first {@code ties} of that row.
   */
  private record Cut(int bits, int tieRow, int ties) {}

  private final SourceWeight dense;
  private final MaskStructure structure;
  private final double sparsity;
  private Cut cut;

  /**
   * @param dense a matrix
   * @param sparsity share of zeros when unstructured
   * @throws CheckpointException when groups do not divide its columns
   */
  PrunedWeight(SourceWeight dense, MaskStructure structure, double sparsity) {
    this.dense = dense;
    this.structure = structure;
    this.sparsity = sparsity;
  }

  @Override
  public TensorSpec spec() {
    return dense.spec();
  }

  @Override
  public List<Part> parts() {
    return dense.parts();
  }

  @Override
  public Optional<String> encoding() {
    return dense.encoding();
  }

  @Override
  public String place() {
    return dense.place();
  }

  @Override
  public long grain() {
    return rowBytes();
  }

  @Override
  public long memoryBytes(long length) {
    return dense.memoryBytes(length) + length;
  }

  @Override
  public MemorySegment read(
      Kernels kernels, long offset, long length, Arena arena, Scratch scratch) {
    MemorySegment source = dense.read(kernels, offset, length, arena, scratch);
    MemorySegment target = NativeMemory.allocate(arena, length);
    int first = Math.toIntExact(offset / rowBytes());
    int rows = Math.toIntExact(length / rowBytes());
    for (int row = 0; row < rows; row++) {
      requireFinite(kernels, source, first + row, row * rowBytes());
      if (structure.isUnstructured()) {
        below(kernels, cut(kernels), source, first + row, row * rowBytes(), target);
      } else {
        kernels
            .pruning()
            .pruneGroups(
                type(),
                source,
                row * rowBytes(),
                cols(),
                structure.pruned(),
                structure.groupSize(),
                target,
                row * rowBytes());
      }
    }
    return target;
  }

  private void requireFinite(Kernels kernels, MemorySegment source, int row, long at) {
    if (kernels.absMaxBits(type(), source, at, cols()) >= type().infinityBits()) {
      int col = 0;
      while (Float.isFinite(type().load(source, at + (long) col * type().bytes()))) {
        col++;
      }
      throw new CheckpointException(
          place() + " [" + row + ", " + col + "]",
          "expected finite weights, found " + type().load(source, at + (long) col * type().bytes()),
          "The checkpoint is damaged or diverged in training; fetch it again, or leave the module"
              + " as it is with --ignore.");
    }
  }

  private void below(
      Kernels kernels, Cut where, MemorySegment source, int row, long at, MemorySegment target) {
    int threshold = row < where.tieRow() ? where.bits() + 1 : where.bits();
    kernels.pruning().pruneBelow(type(), source, at, cols(), threshold, target, at);
    int left = row == where.tieRow() ? where.ties() : 0;
    for (int col = 0; left > 0; col++) {
      long element = at + (long) col * type().bytes();
      if ((type().loadBits(source, element) & type().signlessMask()) == where.bits()) {
        type().store(target, element, 0);
        left--;
      }
    }
  }

  private synchronized Cut cut(Kernels kernels) {
    if (cut == null) {
      long count = Sparsity.count(sparsity, (long) rows() * cols());
      Threshold threshold =
          RadixSelect.select(
              count,
              type() == FloatType.F32 ? DIGITS_32 : DIGITS_16,
              (shift, digitBits, prefix, totals) ->
                  count(kernels, shift, digitBits, prefix, totals));
      cut = cut(kernels, threshold);
    }
    return cut;
  }

  private void count(Kernels kernels, int shift, int digitBits, int prefix, long[] totals) {
    int[] counts = new int[totals.length];
    PruneKernels pruning = kernels.pruning();
    rows(
        kernels,
        (row, source, at) -> {
          pruning.countDigits(type(), source, at, cols(), shift, digitBits, prefix, counts);
          if ((row + 1) % 1024 == 0 || row == rows() - 1) { // long before an int overflows
            for (int digit = 0; digit < totals.length; digit++) {
              totals[digit] += counts[digit];
              counts[digit] = 0;
            }
          }
        });
  }

  private Cut cut(Kernels kernels, Threshold threshold) {
    if (threshold.takesAllEqual()) {
      return new Cut(threshold.exclusive(), 0, 0);
    }
    long[] left = {threshold.ties()};
    int[] end = {0, 0};
    rows(
        kernels,
        (row, source, at) -> {
          int equal = kernels.pruning().countEqual(type(), source, at, cols(), threshold.bits());
          if (left[0] > 0) {
            end[0] = row;
            end[1] = (int) Math.min(left[0], equal);
            left[0] -= end[1];
          }
        });
    return new Cut(threshold.bits(), end[0], end[1]);
  }

  private interface Row {
    void see(int row, MemorySegment source, long at);
  }

  /** Goes through all rows in their order. */
  private void rows(Kernels kernels, Row body) {
    int step = (int) Math.max(1, STRIP / Math.max(1, rowBytes()));
    try (Scratch scratch = new Scratch()) {
      for (int begin = 0; begin < rows(); begin += step) {
        int n = Math.min(step, rows() - begin);
        try (Arena arena = Arena.ofConfined()) {
          MemorySegment source =
              dense.read(kernels, begin * rowBytes(), n * rowBytes(), arena, scratch);
          for (int row = 0; row < n; row++) {
            requireFinite(kernels, source, begin + row, row * rowBytes());
            body.see(begin + row, source, row * rowBytes());
          }
        }
      }
    }
  }
}
