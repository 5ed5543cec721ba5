package dev.quern.engine.quantization.observer;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.Patience;
import dev.quern.engine.kernel.RangeSearch;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.quantization.RangeObserver;
import dev.quern.engine.quantization.ScaleGrid;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The observers {@code memoryless_mse} and {@code nvfp4_expanded_mse}: for each block the range
 * whose quantization error is the least, among ranges that shrink step by step.
 *
 * <p>The reference goes through all blocks of a matrix at once, and ends when {@code patience}
 * steps in a row improved none of them. So a matrix is looked at twice here: {@link
 * #markImprovements} for each of its strips, in any order, then {@link Patience#steps}, and an
 * observer that goes that many steps for each block. Where the search cannot end early, because a
 * few blocks show improvements all along, the first look is over after those.
 */
public final class MseObserver implements RangeObserver {
  private static final long ALIGNMENT = 64;

  private final RangeSearch search;
  private final int steps;

  /**
   * An observer of blocks.
   *
   * @param steps steps that the search takes for the matrix as a whole
   */
  public MseObserver(RangeSearch search, int steps) {
    this.search = search;
    this.steps = steps;
  }

  @Override
  public void gridRow(
      Kernels kernels,
      FloatType type,
      MemorySegment source,
      ScaleGrid grid,
      int gridRow,
      float[] min,
      float[] max) {
    runs(
        type,
        source,
        grid,
        gridRow,
        (memory, offset, blocks, n, first) ->
            kernels
                .rangeSearch()
                .search(search, steps, memory, offset, blocks, n, min, max, first));
  }

  /**
   * Adds which steps improved any block of a strip over all steps before.
   *
   * @param source the strip, row-major
   * @param improved one for each step; nothing more is looked at when it shows that a search with
   *     {@code patience} cannot end early
   */
  public static void markImprovements(
      Kernels kernels,
      RangeSearch search,
      MemorySegment source,
      ScaleGrid strip,
      int patience,
      boolean[] improved) {
    for (int gridRow = 0; gridRow < strip.gridRows(); gridRow++) {
      if (Patience.isCertain(improved, patience)) {
        return;
      }
      runs(
          search.type(),
          source,
          strip,
          gridRow,
          (memory, offset, blocks, n, _) ->
              kernels.rangeSearch().markImprovements(search, memory, offset, blocks, n, improved));
    }
  }

  /** What is done with a run of blocks; {@code first} is the number of its first block. */
  private interface Run {
    void blocks(MemorySegment memory, long offset, int blocks, int n, int first);
  }

  /** Blocks of one row lie one after the other; tiles of several rows are copied together. */
  private static void runs(
      FloatType type, MemorySegment source, ScaleGrid grid, int gridRow, Run run) {
    if (grid.blockRows() > 1) {
      tiles(type, source, grid, gridRow, run);
      return;
    }
    long offset = (long) grid.rowBegin(gridRow) * grid.cols() * type.bytes();
    int whole = grid.cols() / grid.blockCols();
    int rest = grid.cols() % grid.blockCols();
    if (whole > 0) {
      run.blocks(source, offset, whole, grid.blockCols(), 0);
    }
    if (rest > 0) {
      long at = offset + (long) whole * grid.blockCols() * type.bytes();
      run.blocks(source, at, 1, rest, whole);
    }
  }

  /** Tiles at the edges are filled up with zeros, which changes the order of their sums. */
  private static void tiles(
      FloatType type, MemorySegment source, ScaleGrid grid, int gridRow, Run run) {
    int size = Math.multiplyExact(grid.blockRows(), grid.blockCols());
    long tileRowBytes = (long) grid.blockCols() * type.bytes();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment tile = arena.allocate((long) size * type.bytes(), ALIGNMENT);
      for (int g = 0; g < grid.gridCols(); g++) {
        tile.fill((byte) 0);
        long bytes = (long) (grid.colEnd(g) - grid.colBegin(g)) * type.bytes();
        for (int row = grid.rowBegin(gridRow); row < grid.rowEnd(gridRow); row++) {
          long from = ((long) row * grid.cols() + grid.colBegin(g)) * type.bytes();
          long to = (row - grid.rowBegin(gridRow)) * tileRowBytes;
          MemorySegment.copy(source, from, tile, to, bytes);
        }
        run.blocks(tile, 0, 1, size, g);
      }
    }
  }
}
