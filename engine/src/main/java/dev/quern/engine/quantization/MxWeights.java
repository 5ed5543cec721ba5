package dev.quern.engine.quantization;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.engine.kernel.Fp4Kernels;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.MxScales;
import dev.quern.engine.numeric.E8M0;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Weights in the OCP MX formats: E2M1 or E4M3 codes, and a power of two for each 32 columns.
 *
 * <p>Source: compressed-tensors 0.18, {@code compressors/mxfp4} and {@code mxfp8}, as run on CPU.
 * The bytes are on the pages {@code docs/formats/mxfp4.md} and {@code mxfp8.md}.
 */
public final class MxWeights {
  /** Elements that share a scale. */
  public static final int GROUP_SIZE = MxScales.GROUP_SIZE;

  private MxWeights() {}

  /** What the elements are. */
  public enum Element {
    /** Two codes in a byte. */
    E2M1(MxScales.E2M1_MAX_EXPONENT) {
      @Override
      public long bytes(long elements) {
        return elements / 2;
      }

      @Override
      void quantize(
          Fp4Kernels kernels,
          FloatType type,
          MemorySegment source,
          long element,
          int n,
          float[] scales,
          MemorySegment codes) {
        kernels.quantizeE2M1(
            type,
            source,
            element * type.bytes(),
            n,
            GROUP_SIZE,
            scales,
            true,
            codes,
            bytes(element));
      }

      @Override
      int quantizeRow(
          Fp4Kernels kernels,
          FloatType type,
          MemorySegment source,
          long element,
          int n,
          MemorySegment codes,
          MemorySegment scaleCodes,
          int[] maxBits,
          float[] scales) {
        return kernels.quantizeMxfp4(
            type,
            source,
            element * type.bytes(),
            n,
            codes,
            bytes(element),
            scaleCodes,
            element / GROUP_SIZE,
            maxBits,
            scales);
      }

      @Override
      void dequantize(
          Fp4Kernels kernels,
          FloatType type,
          MemorySegment codes,
          long element,
          int n,
          float[] scales,
          MemorySegment target) {
        kernels.dequantizeE2M1(type, codes, bytes(element), n, GROUP_SIZE, scales, target, 0);
      }
    },
    /** A code in a byte. */
    E4M3(MxScales.E4M3_MAX_EXPONENT) {
      @Override
      public long bytes(long elements) {
        return elements;
      }

      @Override
      void quantize(
          Fp4Kernels kernels,
          FloatType type,
          MemorySegment source,
          long element,
          int n,
          float[] scales,
          MemorySegment codes) {
        kernels.quantizeE4M3(
            type, source, element * type.bytes(), n, GROUP_SIZE, scales, codes, element);
      }

      @Override
      int quantizeRow(
          Fp4Kernels kernels,
          FloatType type,
          MemorySegment source,
          long element,
          int n,
          MemorySegment codes,
          MemorySegment scaleCodes,
          int[] maxBits,
          float[] scales) {
        return kernels.quantizeMxfp8(
            type,
            source,
            element * type.bytes(),
            n,
            codes,
            bytes(element),
            scaleCodes,
            element / GROUP_SIZE,
            maxBits,
            scales);
      }

      @Override
      void dequantize(
          Fp4Kernels kernels,
          FloatType type,
          MemorySegment codes,
          long element,
          int n,
          float[] scales,
          MemorySegment target) {
        kernels.dequantizeE4M3(type, codes, element, n, GROUP_SIZE, scales, target, 0);
      }
    };

    private final int maxExponent;

    Element(int maxExponent) {
      this.maxExponent = maxExponent;
    }

    /** Bytes that so many elements take. */
    public abstract long bytes(long elements);

    abstract void quantize(
        Fp4Kernels kernels,
        FloatType type,
        MemorySegment source,
        long element,
        int n,
        float[] scales,
        MemorySegment codes);

    /**
     * Scales by largest magnitudes, and codes. Returns the first group that is not finite, or -1.
     */
    abstract int quantizeRow(
        Fp4Kernels kernels,
        FloatType type,
        MemorySegment source,
        long element,
        int n,
        MemorySegment codes,
        MemorySegment scaleCodes,
        int[] maxBits,
        float[] scales);

    abstract void dequantize(
        Fp4Kernels kernels,
        FloatType type,
        MemorySegment codes,
        long element,
        int n,
        float[] scales,
        MemorySegment target);
  }

  /** As below, with the observer {@code memoryless_minmax}. */
  public static void quantize(
      Kernels kernels,
      FloatType type,
      Element element,
      MemorySegment source,
      int rows,
      int cols,
      MemorySegment codes,
      MemorySegment scaleCodes) {
    quantize(kernels, Optional.empty(), type, element, source, rows, cols, codes, scaleCodes);
  }

  /**
   * Quantizes whole rows of a matrix.
   *
   * @param observer finds the ranges; empty for {@code memoryless_minmax}
   * @param source weights, row-major [rows, cols] of {@code type}; {@code cols} is a multiple of 32
   * @param codes receives the elements, row-major
   * @param scaleCodes receives E8M0 codes, row-major [rows, cols / 32]
   * @throws NonFiniteWeightException when a weight is NaN or infinite; some codes may have been
   *     written
   */
  public static void quantize(
      Kernels kernels,
      Optional<RangeObserver> observer,
      FloatType type,
      Element element,
      MemorySegment source,
      int rows,
      int cols,
      MemorySegment codes,
      MemorySegment scaleCodes) {
    Fp4Kernels fp4 = kernels.fp4();
    int groups = cols / GROUP_SIZE;
    int[] maxBits = new int[groups];
    float[] scales = new float[groups];
    for (int row = 0; row < rows; row++) {
      long begin = (long) row * cols;
      int failed =
          observer.isPresent()
              ? quantizeRow(
                  kernels,
                  observer.get(),
                  type,
                  element,
                  source,
                  row,
                  cols,
                  codes,
                  scaleCodes,
                  maxBits,
                  scales)
              : element.quantizeRow(
                  fp4, type, source, begin, cols, codes, scaleCodes, maxBits, scales);
      if (failed >= 0) {
        throw NonFiniteWeightException.find(
            type, source, new ScaleGrid(rows, cols, 1, GROUP_SIZE), row, failed);
      }
    }
  }

  private static int quantizeRow(
      Kernels kernels,
      RangeObserver observer,
      FloatType type,
      Element element,
      MemorySegment source,
      int row,
      int cols,
      MemorySegment codes,
      MemorySegment scaleCodes,
      int[] maxBits,
      float[] scales) {
    int groups = cols / GROUP_SIZE;
    ObservedAbsMax.row(kernels, observer, type, source, cols, GROUP_SIZE, row, maxBits);
    for (int g = 0; g < groups; g++) {
      if (maxBits[g] >= type.infinityBits()) {
        return g;
      }
      byte code = MxScales.code(type, maxBits[g], element.maxExponent);
      scaleCodes.set(JAVA_BYTE, (long) row * groups + g, code);
      scales[g] = E8M0.decode(code);
    }
    element.quantize(kernels.fp4(), type, source, (long) row * cols, cols, scales, codes);
    return -1;
  }

  /**
   * Dequantizes one row of a matrix: {@code code * scale}, rounded to {@code type}.
   *
   * @param target receives {@code cols} elements of {@code type}
   */
  public static void dequantizeRow(
      Kernels kernels,
      FloatType type,
      Element element,
      MemorySegment codes,
      MemorySegment scaleCodes,
      int cols,
      int row,
      MemorySegment target) {
    int groups = cols / GROUP_SIZE;
    float[] scales = new float[groups];
    for (int g = 0; g < groups; g++) {
      scales[g] = E8M0.decode(scaleCodes.get(JAVA_BYTE, (long) row * groups + g));
    }
    element.dequantize(kernels.fp4(), type, codes, (long) row * cols, cols, scales, target);
  }
}
