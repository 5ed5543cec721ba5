package dev.quern.engine.quantization;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.engine.kernel.Fp4Kernels;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Weights in NVFP4: packed E2M1 codes, an E4M3 scale for each 16 columns, a scale for the matrix.
 *
 * <p>Source: compressed-tensors 0.18, {@code compressors/nvfp4}, as run on CPU. The bytes are on
 * the page {@code docs/formats/nvfp4.md}.
 */
public final class Nvfp4Weights {
  private static final int GROUP_SIZE = Nvfp4Scales.GROUP_SIZE;

  private Nvfp4Weights() {}

  /** As below, with the observer {@code memoryless_minmax}. */
  public static void quantize(
      Kernels kernels,
      FloatType type,
      MemorySegment source,
      int rows,
      int cols,
      Nvfp4Scales scales,
      MemorySegment packed,
      MemorySegment scaleCodes) {
    quantize(kernels, Optional.empty(), type, source, rows, cols, scales, packed, scaleCodes);
  }

  /**
   * Quantizes whole rows of a matrix with scales from the range of each group.
   *
   * @param observer finds the ranges; empty for {@code memoryless_minmax}
   * @param source weights, row-major [rows, cols] of {@code type}; {@code cols} is a multiple of 16
   * @param packed receives two codes a byte, row-major [rows, cols / 2]
   * @param scaleCodes receives E4M3 codes, row-major [rows, cols / 16]
   * @throws NonFiniteWeightException when a weight is NaN or infinite; some codes may have been
   *     written
   */
  public static void quantize(
      Kernels kernels,
      Optional<RangeObserver> observer,
      FloatType type,
      MemorySegment source,
      int rows,
      int cols,
      Nvfp4Scales scales,
      MemorySegment packed,
      MemorySegment scaleCodes) {
    Fp4Kernels fp4 = kernels.fp4();
    Nvfp4Scales.Table table = scales.table();
    int groups = cols / GROUP_SIZE;
    int[] maxBits = new int[groups];
    float[] rowScales = new float[groups];
    for (int row = 0; row < rows; row++) {
      long begin = (long) row * cols;
      if (observer.isPresent()) {
        RangeObserver ranges = observer.get();
        ObservedAbsMax.row(kernels, ranges, type, source, cols, GROUP_SIZE, row, maxBits);
        requireFinite(type, source, rows, cols, row, maxBits);
      } else {
        maxima(kernels, type, source, rows, cols, row, maxBits);
      }
      for (int g = 0; g < groups; g++) {
        byte code = table.code(maxBits[g]);
        scaleCodes.set(JAVA_BYTE, (long) row * groups + g, code);
        rowScales[g] = table.scale(code);
      }
      fp4.quantizeE2M1(
          type,
          source,
          begin * type.bytes(),
          cols,
          GROUP_SIZE,
          rowScales,
          false,
          packed,
          begin / 2);
    }
  }

  /**
   * As {@link #quantize}, with the scales that a search finds best.
   *
   * @throws NonFiniteWeightException when a weight is NaN or infinite
   */
  public static void quantize(
      Kernels kernels,
      FloatType type,
      MemorySegment source,
      int rows,
      int cols,
      Nvfp4Search search,
      MemorySegment packed,
      MemorySegment scaleCodes) {
    int groups = cols / GROUP_SIZE;
    int[] maxBits = new int[groups];
    float[] rowScales = new float[groups];
    try (Nvfp4Search.Row found = new Nvfp4Search.Row(cols)) {
      for (int row = 0; row < rows; row++) {
        long begin = (long) row * cols;
        maxima(kernels, type, source, rows, cols, row, maxBits);
        search.search(kernels, source, begin * type.bytes(), cols, maxBits, found);
        for (int g = 0; g < groups; g++) {
          byte code = (byte) found.codes[g];
          scaleCodes.set(JAVA_BYTE, (long) row * groups + g, code);
          rowScales[g] = Nvfp4Scales.scale(code, search.scales().global());
        }
        kernels
            .fp4()
            .quantizeE2M1(
                type,
                source,
                begin * type.bytes(),
                cols,
                GROUP_SIZE,
                rowScales,
                false,
                packed,
                begin / 2);
      }
    }
  }

  /** The largest magnitudes of the groups of one row, all finite. */
  static void maxima(
      Kernels kernels,
      FloatType type,
      MemorySegment source,
      int rows,
      int cols,
      int row,
      int[] maxBits) {
    long offset = (long) row * cols * type.bytes();
    kernels.fp4().groupAbsMaxBits(type, source, offset, cols, GROUP_SIZE, maxBits);
    requireFinite(type, source, rows, cols, row, maxBits);
  }

  private static void requireFinite(
      FloatType type, MemorySegment source, int rows, int cols, int row, int[] maxBits) {
    for (int g = 0; g < maxBits.length; g++) {
      if (maxBits[g] >= type.infinityBits()) {
        throw NonFiniteWeightException.find(
            type, source, new ScaleGrid(rows, cols, 1, GROUP_SIZE), row, g);
      }
    }
  }

  /**
   * Dequantizes one row of a matrix: {@code e2m1 * (e4m3 / global)} in binary32, rounded to {@code
   * type}.
   *
   * @param target receives {@code cols} elements of {@code type}
   */
  public static void dequantizeRow(
      Kernels kernels,
      FloatType type,
      MemorySegment packed,
      MemorySegment scaleCodes,
      float global,
      int cols,
      int row,
      MemorySegment target) {
    int groups = cols / GROUP_SIZE;
    float[] rowScales = new float[groups];
    for (int g = 0; g < groups; g++) {
      byte code = scaleCodes.get(JAVA_BYTE, (long) row * groups + g);
      rowScales[g] = Nvfp4Scales.scale(code, global);
    }
    long begin = (long) row * cols;
    kernels.fp4().dequantizeE2M1(type, packed, begin / 2, cols, GROUP_SIZE, rowScales, target, 0);
  }
}
