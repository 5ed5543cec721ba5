package dev.quern.engine.kernel;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;

/**
 * The innermost loops of linear algebra, for {@code engine.linalg}, which cuts matrices into what
 * is called a tile and a panel here. {@link ScalarMatrixKernels} is the definition.
 *
 * <p>A <i>panel</i> is a strip of a matrix, packed so that a loop over the depth reads it front to
 * back: element (k, lane) of a panel of width w lies at index {@code k * w + lane}, as f32, from a
 * multiple of 64 bytes on. Left operands are packed into panels of {@link #tileRows()} lanes (lanes
 * are rows), right operands into panels of {@link #tileColumns()} lanes (lanes are columns). A
 * <i>tile</i> is the product of a left panel and a right one.
 *
 * <p>The sum of an element starts with a stored value and takes one fused multiply-add after the
 * other, k ascending; so a product that is cut along k, each part continuing what the one before
 * stored, has the same bits as one in one piece. Vectors run across columns, which changes no sum.
 * Results are equal bit for bit between providers, except for the payload and sign of a NaN.
 *
 * <p>Segments are native memory, little-endian. Offsets and strides are in bytes, and may be
 * negative in sources. Nothing is allocated. Calls are thread-safe.
 */
public interface MatrixKernels {
  /** Rows of a tile. */
  int tileRows();

  /** Columns of a tile. */
  int tileColumns();

  /**
   * Packs one panel, widening to f32: lane {@code l} at depth {@code k} is the element at {@code
   * offset + l * laneStride + k * depthStride}, or its negative. Lanes from {@code lanes} to {@code
   * width - 1} become zero.
   *
   * @param width {@link #tileRows()} or {@link #tileColumns()}
   * @param lanes how many lanes the source has, 1 to {@code width}
   * @param negate whether signs are flipped
   */
  void pack(
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
      long targetOffset);

  /**
   * One whole tile: {@code c[i][j] = fma(a[k][i], b[k][j], c[i][j])} for k ascending.
   *
   * @param a a panel of {@link #tileRows()} lanes
   * @param b a panel of {@link #tileColumns()} lanes
   * @param cStride bytes from one row of {@code c} to the next
   */
  void multiply(
      MemorySegment a,
      long aOffset,
      MemorySegment b,
      long bOffset,
      int depth,
      MemorySegment c,
      long cOffset,
      long cStride);

  /**
   * Solves with a small lower triangle, in place, for one right panel: {@code x[i][j] = s /
   * t[i][i]} with {@code s = x[i][j]} and then {@code s = fma(-t[i][k], x[k][j], s)} for k from 0
   * to i - 1; rows ascending.
   *
   * @param negated a left panel of {@code n} depths: lane i at depth k is {@code -t[i][k]} for k
   *     below i; the rest is not read
   * @param diagonal {@code n} elements {@code t[i][i]}
   * @param n rows, 1 to {@link #tileRows()}
   * @param x {@code n} rows of a right panel
   */
  void solveTile(
      MemorySegment negated,
      long negatedOffset,
      MemorySegment diagonal,
      long diagonalOffset,
      int n,
      MemorySegment x,
      long xOffset);

  /**
   * Upper Cholesky factor of a small symmetric matrix, in place: {@code A = Vᵀ V}. Row k ascending:
   * {@code v[k][k] = sqrt(a[k][k])}, {@code v[k][j] = a[k][j] / v[k][k]} for j above k, then {@code
   * a[i][j] = fma(-v[k][i], v[k][j], a[i][j])} for all k &lt; i &lt;= j.
   *
   * <p>Rows have {@code stride} bytes, a multiple of 64 with room for {@code n} elements, and what
   * lies below the diagonal and behind column {@code n} is overwritten with arbitrary values.
   *
   * @return -1, or the first k whose {@code a[k][k]} is not a positive finite number; the rest is
   *     then arbitrary
   */
  int factorUpper(MemorySegment a, long offset, long stride, int n);

  /**
   * Fused multiply-adds that wait for nothing but each other, all in registers: for benchmarks,
   * which compare products with this rate.
   *
   * @param rounds how many multiply-adds follow each other in a chain
   * @return something that depends on all of them
   */
  float chains(int rounds);

  /** Floating-point operations of one round of {@link #chains}: two a multiply-add. */
  int chainOperations();

  /**
   * Adds a run to sums with compensation. For each element, in binary32: {@code t = sum + x}, the
   * rounding error {@code e} of that addition exactly (two-sum), {@code sum = t}, {@code
   * compensation = compensation + e}.
   *
   * @param n elements
   */
  void addCompensated(
      MemorySegment x,
      long xOffset,
      MemorySegment sum,
      long sumOffset,
      MemorySegment compensation,
      long compensationOffset,
      int n);
}
