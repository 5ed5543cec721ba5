package dev.quern.engine.kernel;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;

/**
 * Bulk operations on the columns of weights that GPTQ and its relatives go through one by one.
 * {@link ScalarSweepKernels} is their definition; every other provider equals it bit for bit, for
 * every input.
 *
 * <p>A column is a run of {@code n} binary32, one for each row of the matrix; each row has a scale
 * and a zero point of its own. So vectors run across rows, which know nothing of each other. The
 * rules of {@link Kernels} for memory, offsets and threads hold here too; strides and offsets count
 * bytes.
 *
 * <p>To quantize is to find a code and its <i>level</i>, the number that the scale multiplies: the
 * code less its zero point, or the number that a small float stands for. The codes are those that
 * {@link IntKernels#quantize}, {@link Kernels#quantizeE4M3} and {@link Fp4Kernels#quantizeE2M1}
 * give for binary32 weights.
 *
 * <p>Which NaN it is that {@link #errors}, {@link #update} and {@link #addSquares} make of
 * infinities and NaN, is open.
 */
public interface SweepKernels {
  /**
   * Quantizes a column to integers: {@code code = rint(clamp(x / scale + zeroPoint, lowest,
   * highest))}, {@code level = code - zeroPoint}. NaN gives code 0.
   *
   * @param bits width of a code, 2 to 8
   * @param scales positive and finite, one a row
   * @param zeroPoints integers, one a row
   * @param codes receives one byte a row
   * @param levels receives one binary32 a row
   */
  void quantizeIntegers(
      int bits,
      MemorySegment column,
      long columnOffset,
      int n,
      MemorySegment scales,
      long scalesOffset,
      MemorySegment zeroPoints,
      long zeroPointsOffset,
      MemorySegment codes,
      long codesOffset,
      MemorySegment levels,
      long levelsOffset);

  /**
   * Quantizes a column to FP8 E4M3: {@code code = e4m3(clamp(x / scale, -448, 448))}, {@code level
   * = decode(code)}.
   *
   * @param codes receives one byte a row
   */
  void quantizeE4M3(
      MemorySegment column,
      long columnOffset,
      int n,
      MemorySegment scales,
      long scalesOffset,
      MemorySegment codes,
      long codesOffset,
      MemorySegment levels,
      long levelsOffset);

  /**
   * Quantizes a column to FP4 E2M1: {@code code = e2m1(clamp(x / scale, -6, 6))}, {@code level =
   * decode(code)}.
   *
   * @param codes receives one byte a row, 0 to 15
   */
  void quantizeE2M1(
      MemorySegment column,
      long columnOffset,
      int n,
      MemorySegment scales,
      long scalesOffset,
      MemorySegment codes,
      long codesOffset,
      MemorySegment levels,
      long levelsOffset);

  /**
   * Levels become the weights that they stand for, in their place: {@code R(level * scale)}, where
   * {@code R} rounds to {@code type}. NaN becomes the canonical NaN.
   */
  void dequantize(
      FloatType type,
      MemorySegment levels,
      long levelsOffset,
      int n,
      MemorySegment scales,
      long scalesOffset);

  /**
   * What a column's change means to those behind it: {@code (stored - x) / pivot}.
   *
   * @param errors receives one binary32 a row; may be the column itself
   */
  void errors(
      MemorySegment stored,
      long storedOffset,
      MemorySegment column,
      long columnOffset,
      int n,
      float pivot,
      MemorySegment errors,
      long errorsOffset);

  /**
   * Adds errors to the columns behind them: {@code w[j][i] = fma(e[k][i], u[k][j], w[j][i])} for
   * each {@code k} from 0 to {@code depth - 1} in this order.
   *
   * @param errors {@code depth} columns, {@code errorStride} bytes apart
   * @param factors {@code u}: {@code depth} rows, {@code factorStride} bytes apart, of {@code
   *     columns} binary32
   * @param target {@code w}: {@code columns} columns, {@code targetStride} bytes apart
   * @param n elements of each column
   */
  void update(
      MemorySegment errors,
      long errorsOffset,
      long errorStride,
      int depth,
      MemorySegment factors,
      long factorsOffset,
      long factorStride,
      MemorySegment target,
      long targetOffset,
      long targetStride,
      int columns,
      int n);

  /**
   * Adds the squares of columns: {@code sum[i] = fma(e[k][i], e[k][i], sum[i])} for each {@code k}
   * in ascending order.
   *
   * @param errors {@code depth} columns, {@code errorStride} bytes apart
   * @param sums one binary32 a row
   */
  void addSquares(
      MemorySegment errors,
      long errorsOffset,
      long errorStride,
      int depth,
      MemorySegment sums,
      long sumsOffset,
      int n);
}
