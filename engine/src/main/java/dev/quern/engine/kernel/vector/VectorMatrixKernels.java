package dev.quern.engine.kernel.vector;

import dev.quern.engine.kernel.MatrixKernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;

/** The SIMD twin of {@code ScalarMatrixKernels}: the tile that fits the registers, and its like. */
final class VectorMatrixKernels implements MatrixKernels {
  /** AVX-512 doubles the number of vector registers beside their width. */
  private static final boolean WIDE = Shapes.F.vectorBitSize() >= 512;

  @Override
  public int tileRows() {
    return WIDE ? Tile5x3.ROWS : Tile4x3.ROWS;
  }

  @Override
  public int tileColumns() {
    return WIDE ? Tile5x3.COLUMNS : Tile4x3.COLUMNS;
  }

  @Override
  public void pack(
      FloatType type,
      MemorySegment source,
      long offset,
      long laneStride,
      long depthStride,
      int lanes,
      int width,
      int depth,
      boolean negate,
      MemorySegment target,
      long targetOffset) {
    PackVectors.pack(
        type,
        source,
        offset,
        laneStride,
        depthStride,
        lanes,
        width,
        depth,
        negate,
        target,
        targetOffset);
  }

  @Override
  public void multiply(
      MemorySegment a,
      long aOffset,
      MemorySegment b,
      long bOffset,
      int depth,
      MemorySegment c,
      long cOffset,
      long cStride) {
    if (WIDE) {
      Tile5x3.multiply(a, aOffset, b, bOffset, depth, c, cOffset, cStride);
    } else {
      Tile4x3.multiply(a, aOffset, b, bOffset, depth, c, cOffset, cStride);
    }
  }

  @Override
  public void solveTile(
      MemorySegment negated,
      long negatedOffset,
      MemorySegment diagonal,
      long diagonalOffset,
      int n,
      MemorySegment x,
      long xOffset) {
    FactorVectors.solveTile(
        negated, negatedOffset, tileRows(), diagonal, diagonalOffset, n, x, xOffset, tileColumns());
  }

  @Override
  public int factorUpper(MemorySegment a, long offset, long stride, int n) {
    return FactorVectors.factorUpper(a, offset, stride, n);
  }

  @Override
  public float chains(int rounds) {
    return FmaChains.run(rounds);
  }

  @Override
  public int chainOperations() {
    return FmaChains.OPERATIONS;
  }

  @Override
  public void addCompensated(
      MemorySegment x,
      long xOffset,
      MemorySegment sum,
      long sumOffset,
      MemorySegment compensation,
      long compensationOffset,
      int n) {
    FactorVectors.addCompensated(x, xOffset, sum, sumOffset, compensation, compensationOffset, n);
  }
}
