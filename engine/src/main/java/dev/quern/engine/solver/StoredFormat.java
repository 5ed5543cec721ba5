package dev.quern.engine.solver;

import dev.quern.engine.kernel.IntGroups;
import dev.quern.engine.kernel.MxScales;
import dev.quern.engine.numeric.E8M0;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp8E4M3;
import dev.quern.engine.quantization.E4M3Weights;
import dev.quern.engine.quantization.IntParameters;
import dev.quern.engine.quantization.MinMax;
import dev.quern.engine.quantization.MxWeights;
import dev.quern.engine.quantization.Nvfp4Scales;
import dev.quern.engine.quantization.RangeObserver;
import dev.quern.engine.quantization.ScaleGrid;
import dev.quern.engine.quantization.SymmetricMinMax;

/**
 * What a matrix is stored as: the numbers that elements may be, how their scales are stored, and
 * which elements share one. Scales come from ranges by the laws of {@code engine.quantization}.
 *
 * @param type of the weights
 * @param element what a code is
 * @param bits of a code
 * @param symmetric whether there are no zero points; true for all but integers
 * @param scales how a scale is stored
 * @param globalScale what all scales are divided by; 1 where there is none
 * @param grid which weights share a scale
 */
public record StoredFormat(
    FloatType type,
    Element element,
    int bits,
    boolean symmetric,
    Scales scales,
    float globalScale,
    ScaleGrid grid) {
  /** What a code is. */
  public enum Element {
    /** An integer of 2 to 8 bits. */
    INTEGER,
    /** FP8 E4M3. */
    E4M3,
    /** FP4 E2M1. */
    E2M1
  }

  /** How a scale is stored. */
  public enum Scales {
    /** As a number of the weights' type. */
    WEIGHT_TYPE,
    /** As a power of two. */
    E8M0,
    /** As FP8 E4M3, to be divided by the scale of the whole matrix. */
    E4M3
  }

  /** Checks that the parts fit each other. */
  public StoredFormat {
    boolean integer = element == Element.INTEGER;
    if (integer ? bits < 2 || bits > 8 : !symmetric) {
      throw new IllegalArgumentException(
          element + " of " + bits + " bits" + (symmetric ? "" : " with zero points"));
    }
    if (!(globalScale > 0) || globalScale == Float.POSITIVE_INFINITY) {
      throw new IllegalArgumentException(
          "global scale " + globalScale + "; a positive finite number expected");
    }
    if (grid.blockRows() == 1
        && grid.blockCols() < grid.cols()
        && grid.cols() % grid.blockCols() != 0) {
      throw new IllegalArgumentException(
          "a matrix of "
              + grid.cols()
              + " columns cannot be cut into groups of "
              + grid.blockCols()
              + "; choose a group size that divides it, or ignore the module");
    }
  }

  /** Integers of 2 to 8 bits: W8A8, W4A16, W4A16_ASYM and their like. */
  public static StoredFormat integer(FloatType type, int bits, boolean symmetric, ScaleGrid grid) {
    return new StoredFormat(type, Element.INTEGER, bits, symmetric, Scales.WEIGHT_TYPE, 1, grid);
  }

  /** FP8 E4M3 with scales in the weights' type: FP8, FP8_DYNAMIC, FP8_BLOCK. */
  public static StoredFormat e4m3(FloatType type, ScaleGrid grid) {
    return new StoredFormat(type, Element.E4M3, 8, true, Scales.WEIGHT_TYPE, 1, grid);
  }

  /** MXFP4, or MXFP8 for {@link Element#E4M3}: groups of 32. */
  public static StoredFormat mx(FloatType type, Element element, int rows, int cols) {
    ScaleGrid grid = ScaleGrid.block(rows, cols, 1, MxWeights.GROUP_SIZE);
    int bits = element == Element.E4M3 ? 8 : 4;
    return new StoredFormat(type, element, bits, true, Scales.E8M0, 1, grid);
  }

  /**
   * NVFP4: groups of 16.
   *
   * @param globalScale from {@link Nvfp4Scales#global}, of the largest magnitude of the fused set
   */
  public static StoredFormat nvfp4(FloatType type, int rows, int cols, float globalScale) {
    ScaleGrid grid = ScaleGrid.block(rows, cols, 1, Nvfp4Scales.GROUP_SIZE);
    return new StoredFormat(type, Element.E2M1, 4, true, Scales.E4M3, globalScale, grid);
  }

  /** The observer that presets name, in the form that this format needs. */
  public RangeObserver minMax() {
    return symmetric ? SymmetricMinMax.OBSERVER : MinMax.OBSERVER;
  }

  /** Whether every block lies in one row: channels and groups, but not tensors and tiles. */
  public boolean scalesBelongToRows() {
    return grid.blockRows() == 1;
  }

  /** The stored scale of a range, before it is divided by the global one. */
  float scale(float min, float max) {
    return switch (scales) {
      case WEIGHT_TYPE ->
          element == Element.E4M3
              ? E4M3Weights.scale(type, min, max)
              : symmetric
                  ? IntParameters.symmetricScale(type, bits, min, max)
                  : IntParameters.asymmetricScale(type, bits, min, max);
      case E8M0 -> E8M0.decode(MxScales.code(type, absMaxBits(min, max), maxExponent()));
      case E4M3 -> Fp8E4M3.decode(Nvfp4Scales.code(type, globalScale, absMaxBits(min, max)));
    };
  }

  /** The zero point of a range; 0 where there are none. */
  float zeroPoint(float min, float max) {
    return symmetric ? 0 : IntParameters.zeroPoint(type, bits, min, max);
  }

  /** What elements are divided by. */
  float effective(float storedScale) {
    return scales == Scales.E4M3 ? storedScale / globalScale : storedScale;
  }

  /** The stored scale whose effect is nearest to a wanted positive number; positive itself. */
  float nearestScale(float wanted) {
    return switch (scales) {
      case WEIGHT_TYPE -> Math.max(type.round(wanted), type.decode(1));
      case E8M0 -> E8M0.decode(E8M0.encodeNearest(Math.min(wanted, 0x1p126f)));
      case E4M3 -> Math.max(Fp8E4M3.decode(Fp8E4M3.encode(wanted * globalScale)), 0x1p-9f);
    };
  }

  /**
   * What the product of level and scale is rounded to when the matrix is read: the weights' type,
   * unless the scale has more digits. A power of two costs no digits.
   */
  FloatType productType() {
    return scales == Scales.WEIGHT_TYPE ? type : FloatType.F32;
  }

  private int maxExponent() {
    return element == Element.E2M1 ? MxScales.E2M1_MAX_EXPONENT : MxScales.E4M3_MAX_EXPONENT;
  }

  private int absMaxBits(float min, float max) {
    float largest = Math.max(Math.abs(Math.min(min, 0)), Math.abs(Math.max(max, 0)));
    return Math.min(type.encode(largest), type.infinityBits() - 1);
  }

  /** The magnitude of the largest level, for messages. */
  float largestLevel() {
    return switch (element) {
      case INTEGER -> -IntGroups.lowest(bits);
      case E4M3 -> 448;
      case E2M1 -> 6;
    };
  }
}
