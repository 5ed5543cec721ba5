package dev.quern.engine.kernel;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;

/**
 * Bulk operations of the micro-scaled float formats NVFP4, MXFP4 and MXFP8: rows of elements in
 * which every {@code groupSize} neighbours share a scale. {@link ScalarFp4Kernels} is their
 * definition; every other provider equals it bit for bit, for every input.
 *
 * <p>The rules of {@link Kernels} for memory, offsets and threads hold here too. {@code n} counts
 * elements and is a multiple of {@code groupSize}, which is even; {@code scales} holds the {@code n
 * / groupSize} scales of the row from its first element on, all positive and finite. The formats
 * have groups of 16 and 32, and only these are fast.
 *
 * <p>An element's sign is its code's, except that a quotient of zero gives the code of +0 whatever
 * its sign, as in the reference. NaN gives the largest code of its sign.
 */
public interface Fp4Kernels {
  /**
   * The largest magnitude of each group, as {@link Kernels#absMaxBits} gives it for a run.
   *
   * @param maxBits receives {@code n / groupSize} sign-less bit patterns of {@code type}
   */
  void groupAbsMaxBits(
      FloatType type, MemorySegment source, long sourceOffset, int n, int groupSize, int[] maxBits);

  /**
   * Quantizes a row to FP4 E2M1, two codes in a byte, the even column's in the lower half: {@code
   * e2m1(clamp(x / scale, -6, 6))}.
   *
   * @param roundQuotient whether the quotient is rounded to {@code type} before it is rounded to
   *     E2M1, as for scales in the weights' own type (MXFP4), or remains in binary32 (NVFP4)
   * @param target receives {@code n / 2} bytes
   */
  void quantizeE2M1(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      int groupSize,
      float[] scales,
      boolean roundQuotient,
      MemorySegment target,
      long targetOffset);

  /**
   * Dequantizes a row of packed E2M1 codes: {@code round(decode(code) * scale)} in {@code type}.
   *
   * @param target receives {@code n} elements of {@code type}
   */
  void dequantizeE2M1(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      int groupSize,
      float[] scales,
      MemorySegment target,
      long targetOffset);

  /**
   * Quantizes a row to FP8 E4M3: each group as {@link Kernels#quantizeE4M3} does.
   *
   * @param target receives {@code n} bytes
   */
  void quantizeE4M3(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      int groupSize,
      float[] scales,
      MemorySegment target,
      long targetOffset);

  /**
   * Dequantizes a row of E4M3 codes: each group as {@link Kernels#dequantizeE4M3} does.
   *
   * @param target receives {@code n} elements of {@code type}
   */
  void dequantizeE4M3(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      int groupSize,
      float[] scales,
      MemorySegment target,
      long targetOffset);

  /**
   * Of 16 scales in succession, the one by which the squared error of each group of 16 is least:
   * {@code sum((m - e2m1(min(m * r, 6)) * s)^2)} with {@code m = |x| * unit}, all in binary32,
   * added in ascending order. Of equal ones the first.
   *
   * @param values {@code n} binary32
   * @param unit a factor for all values
   * @param scales {@code s}, at least 16 from each start on
   * @param reciprocals {@code r}, the same number
   * @param codes where each group's 16 scales begin; receives the index of the best
   * @param errors receives the least sum of each group
   * @param lanes room for 16 sums
   */
  void searchNvfp4(
      MemorySegment values,
      long offset,
      int n,
      float unit,
      float[] scales,
      float[] reciprocals,
      int[] codes,
      float[] errors,
      float[] lanes);
}
