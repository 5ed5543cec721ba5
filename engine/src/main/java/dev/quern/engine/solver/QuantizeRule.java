package dev.quern.engine.solver;

import dev.quern.engine.kernel.SweepKernels;
import dev.quern.engine.memory.NativeMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** GPTQ's rule: a column is rounded to the format, each row with the scale of its group. */
final class QuantizeRule implements ColumnRule {
  private final Rounding rounding;
  private final GroupScales scales;
  private final int[] groups;
  private final Optional<ScaleChoice> choice;
  private final MemorySegment codes;
  private final int padded;

  /**
   * @param groups the group of each column, in the order of the sweep
   * @param choice decides on scales again when a group begins; groups then are neighbours
   */
  QuantizeRule(
      Arena arena,
      SweepKernels kernels,
      GroupScales scales,
      int[] groups,
      Optional<ScaleChoice> choice) {
    this.rounding = new Rounding(kernels, scales.format());
    this.scales = scales;
    this.groups = groups;
    this.choice = choice;
    this.padded = Sweep.paddedRows(scales.format().grid().rows());
    this.codes = NativeMemory.allocate(arena, (long) groups.length * padded);
  }

  /** One byte an element, [columns in the order of the sweep, padded rows]. */
  MemorySegment codes() {
    return codes;
  }

  @Override
  public int step() {
    return choice.isPresent() ? scales.format().grid().blockCols() : 1;
  }

  @Override
  public void enter(
      int column,
      int columns,
      int row,
      int rows,
      MemorySegment weights,
      long weightsOffset,
      long stride) {
    if (choice.isPresent()) {
      int[] members = new int[columns];
      long[] offsets = new long[columns];
      for (int j = 0; j < columns; j++) {
        members[j] = column + j;
        offsets[j] = weightsOffset + j * stride;
      }
      choice.get().choose(members, offsets, row, rows, weights);
    }
  }

  @Override
  public void store(
      int column,
      int row,
      int rows,
      MemorySegment weights,
      long weightsOffset,
      MemorySegment stored,
      long storedOffset) {
    int group = groups[column];
    rounding.round(
        weights,
        weightsOffset,
        rows,
        scales.effectiveData(),
        scales.effectiveOffset(group, row),
        scales.zeroData(),
        scales.zeroOffset(group, row),
        codes,
        (long) column * padded + row,
        stored,
        storedOffset);
  }
}
