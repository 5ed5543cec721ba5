package dev.quern.engine.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.engine.numeric.E8M0;
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
   * Quantizes a row to MXFP4: each group of 32 by the power of two that {@link MxScales} gives for
   * its largest magnitude.
   *
   * @param n a multiple of 32
   * @param target receives {@code n / 2} bytes, as {@link #quantizeE2M1} writes them
   * @param scaleCodes receives {@code n / 32} codes of E8M0
   * @param maxBits room for {@code n / 32} ints
   * @param scales room for {@code n / 32} floats
   * @return the first group that holds NaN or infinity, or -1. If there is one, what was written is
   *     not valid
   */
  default int quantizeMxfp4(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      MemorySegment target,
      long targetOffset,
      MemorySegment scaleCodes,
      long scaleOffset,
      int[] maxBits,
      float[] scales) {
    groupAbsMaxBits(type, source, sourceOffset, n, MxScales.GROUP_SIZE, maxBits);
    int exponent = MxScales.E2M1_MAX_EXPONENT;
    int groups = n / MxScales.GROUP_SIZE;
    int failed = mxScales(type, exponent, groups, scaleCodes, scaleOffset, maxBits, scales);
    if (failed < 0) {
      quantizeE2M1(
          type, source, sourceOffset, n, MxScales.GROUP_SIZE, scales, true, target, targetOffset);
    }
    return failed;
  }

  /**
   * Quantizes a row to MXFP8, as {@link #quantizeMxfp4} to MXFP4.
   *
   * @param target receives {@code n} bytes
   */
  default int quantizeMxfp8(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int n,
      MemorySegment target,
      long targetOffset,
      MemorySegment scaleCodes,
      long scaleOffset,
      int[] maxBits,
      float[] scales) {
    groupAbsMaxBits(type, source, sourceOffset, n, MxScales.GROUP_SIZE, maxBits);
    int exponent = MxScales.E4M3_MAX_EXPONENT;
    int groups = n / MxScales.GROUP_SIZE;
    int failed = mxScales(type, exponent, groups, scaleCodes, scaleOffset, maxBits, scales);
    if (failed < 0) {
      quantizeE4M3(
          type, source, sourceOffset, n, MxScales.GROUP_SIZE, scales, target, targetOffset);
    }
    return failed;
  }

  private static int mxScales(
      FloatType type,
      int maxExponent,
      int groups,
      MemorySegment scaleCodes,
      long scaleOffset,
      int[] maxBits,
      float[] scales) {
    for (int g = 0; g < groups; g++) {
      if (maxBits[g] >= type.infinityBits()) {
        return g;
      }
      byte code = MxScales.code(type, maxBits[g], maxExponent);
      scaleCodes.set(JAVA_BYTE, scaleOffset + g, code);
      scales[g] = E8M0.decode(code);
    }
    return -1;
  }

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
