package dev.quern.engine.kernel;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;

/**
 * Bulk operations on runs of contiguous elements. {@link ScalarKernels} is their definition; every
 * other provider equals it bit for bit, for every input.
 *
 * <p>Segments are native memory, little-endian, of any alignment; offsets and lengths are checked.
 * Source and destination do not overlap. A call allocates nothing. Calls are thread-safe.
 *
 * <p>In the signatures below {@code n} counts elements and every offset counts bytes.
 */
public interface Kernels {
  /**
   * The fastest provider that this machine and JVM can run well; see {@link KernelChoice}. Its
   * vector loops are slow until the JVM's compiler has seen them run for some tenths of a second;
   * {@link KernelChoice#withoutVectors()} gives the same results without that start.
   */
  static Kernels best() {
    return KernelChoice.current().kernels();
  }

  /** The searches of observers. */
  RangeSearchKernels rangeSearch();

  /**
   * The same kernels, keeping nothing between calls for which {@link
   * RangeSearchKernels#memoryBytes} asks: slower searches, equal results.
   */
  default Kernels sparing() {
    return this;
  }

  /**
   * The largest magnitude of a run, as a bit pattern without its sign.
   *
   * <p>Magnitudes order like their bit patterns, and NaN lies above infinity, so a NaN is never
   * swallowed: the result exceeds {@link FloatType#infinityBits()} exactly when the run holds one.
   * A run of no elements gives 0.
   *
   * @return sign-less bits of {@code type}; {@link FloatType#decode} makes them a value
   */
  int absMaxBits(FloatType type, MemorySegment source, long sourceOffset, int n);

  /**
   * Quantizes a run to FP8 E4M3 with one scale: {@code e4m3(clamp(round(x / scale), -448, 448))}.
   *
   * <p>The quotient is rounded to {@code type} before it is rounded to E4M3, as the reference does,
   * which adds a zero point of +0: a quotient that is zero gives code 0x00 whatever its sign. NaN
   * gives 0x7F or 0xFF.
   *
   * @param scale a positive finite value of {@code type}
   * @param target receives one byte an element
   */
  void quantizeE4M3(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      float scale,
      MemorySegment target,
      long targetOffset);

  /**
   * Dequantizes a run of FP8 E4M3 codes: {@code round(decode(code) * scale)} in {@code type}.
   *
   * <p>NaN codes give the canonical NaN of {@code type}.
   *
   * @param target receives elements of {@code type}
   */
  void dequantizeE4M3(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      float scale,
      MemorySegment target,
      long targetOffset);

  /**
   * Converts a run from one type to another, rounding to nearest even.
   *
   * <p>NaN becomes the canonical NaN of the target type, except that equal types copy bits.
   */
  void convert(
      FloatType from,
      MemorySegment source,
      long sourceOffset,
      int n,
      FloatType to,
      MemorySegment target,
      long targetOffset);

  /**
   * Adds the error of {@code approximation} against {@code original}, both of {@code type}, to
   * {@code sums}; all arithmetic is binary32.
   *
   * <p>Element {@code i} belongs to lane {@code i % 16}; each lane adds its terms in ascending
   * order in binary32, and the lanes are then added to {@code sums} in ascending order in binary64,
   * and after them the last {@code n % 16} elements. So the result does not depend on the width of
   * vectors. Runs should be short (thousands of elements), because lanes are binary32.
   *
   * @param relativeBound see {@link ErrorSums#excess}
   */
  void addErrors(
      FloatType type,
      MemorySegment original,
      long originalOffset,
      MemorySegment approximation,
      long approximationOffset,
      int n,
      float relativeBound,
      ErrorSums sums);

  /** What a decoder computes between its matrix products, by the same provider. */
  DecoderKernels decoder();

  /** The operations on rows of groups with a scale each, for NVFP4, MXFP4 and MXFP8. */
  Fp4Kernels fp4();

  /** The operations on integers, by the same provider. */
  IntKernels integers();

  /** Moves of elements into the byte orders of GPU kernels, by the same provider. */
  LayoutKernels layouts();

  /** The innermost loops of {@code engine.linalg}. */
  MatrixKernels matrices();

  /** The operations that set weights to zero, by the same provider. */
  PruneKernels pruning();

  /** Rows of 2:4 sparse matrices taken apart and put together, by the same provider. */
  SparseKernels sparse();

  /** The masks of columns, for solvers, by the same provider. */
  MaskKernels masks();

  /** The operations on columns of weights, by the same provider. */
  SweepKernels sweep();
}
