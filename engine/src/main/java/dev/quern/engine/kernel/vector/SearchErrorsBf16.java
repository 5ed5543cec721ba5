package dev.quern.engine.kernel.vector;

import dev.quern.engine.kernel.CandidateFormat;
import dev.quern.engine.numeric.FloatType;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Errors of bf16 weights that are quantized and dequantized, as bf16 magnitudes: the bits of {@code
 * R(|R(fakeQuantize(x)) - x|)}.
 *
 * <p>Quotients by products with the reciprocal, as in {@link E4M3QuantizeBf16}, where the proof is;
 * quotients that are too small for it have code 0 all the same. Other roundings to bf16 meet ties
 * and are done to even.
 */
final class SearchErrorsBf16 {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final VectorSpecies<Integer> I = Shapes.I;

  private static final float MAGIC = 0x1.8p23f;
  private static final int MAGIC_BITS = Float.floatToRawIntBits(MAGIC);
  private static final int EXPONENT = 0x7F80_0000;
  private static final int MAGNITUDE = 0x7FFF_FFFF;
  private static final int BF16 = 0xFFFF_0000;
  private static final int EPSILON_BITS = Float.floatToRawIntBits(FloatType.BF16.epsilon());

  private SearchErrorsBf16() {}

  /**
   * Whether the loops below are right for a scale: its reciprocal is a normal number, and no
   * quotient is too large to be rounded by adding a constant.
   */
  static boolean covers(float scale, float largest) {
    return scale >= 0x1p-100f && scale <= 0x1p100f && largest / scale < 0x1p21f;
  }

  /** Symmetric integers. */
  static void integers(
      float[] weights, int n, float scale, CandidateFormat format, int[] errorBits) {
    float reciprocal = 1 / scale;
    int lowest = MAGIC_BITS + (int) format.lowest();
    int highest = MAGIC_BITS + (int) format.highest();
    for (int i = 0; i < n; i += F.length()) {
      FloatVector x = FloatVector.fromArray(F, weights, i);
      IntVector quotient = x.mul(reciprocal).reinterpretAsInts().add(0x8000).and(BF16);
      IntVector code =
          quotient.reinterpretAsFloats().add(MAGIC).reinterpretAsInts().max(lowest).min(highest);
      IntVector product = code.reinterpretAsFloats().sub(MAGIC).mul(scale).reinterpretAsInts();
      IntVector odd = product.lanewise(VectorOperators.LSHR, 16).and(1);
      IntVector rounded = product.add(odd).add(0x7FFF).and(BF16);
      IntVector error = rounded.reinterpretAsFloats().sub(x).reinterpretAsInts().and(MAGNITUDE);
      IntVector errorOdd = error.lanewise(VectorOperators.LSHR, 16).and(1);
      error.add(errorOdd).add(0x7FFF).lanewise(VectorOperators.LSHR, 16).intoArray(errorBits, i);
    }
  }

  /** Integers with a zero point. */
  static void shiftedIntegers(
      float[] weights,
      int n,
      float scale,
      float zeroPoint,
      CandidateFormat format,
      int[] errorBits) {
    float reciprocal = 1 / scale;
    int lowest = MAGIC_BITS + (int) format.lowest();
    int highest = MAGIC_BITS + (int) format.highest();
    float magicAndZero = MAGIC + zeroPoint;
    for (int i = 0; i < n; i += F.length()) {
      FloatVector x = FloatVector.fromArray(F, weights, i);
      IntVector quotient = x.mul(reciprocal).reinterpretAsInts().add(0x8000).and(BF16);
      IntVector shifted = quotient.reinterpretAsFloats().add(zeroPoint).reinterpretAsInts();
      IntVector shiftedOdd = shifted.lanewise(VectorOperators.LSHR, 16).and(1);
      IntVector code =
          shifted
              .add(shiftedOdd)
              .add(0x7FFF)
              .and(BF16)
              .reinterpretAsFloats()
              .add(MAGIC)
              .reinterpretAsInts()
              .max(lowest)
              .min(highest);
      IntVector product =
          code.reinterpretAsFloats().sub(magicAndZero).mul(scale).reinterpretAsInts();
      IntVector odd = product.lanewise(VectorOperators.LSHR, 16).and(1);
      IntVector rounded = product.add(odd).add(0x7FFF).and(BF16);
      IntVector error = rounded.reinterpretAsFloats().sub(x).reinterpretAsInts().and(MAGNITUDE);
      IntVector errorOdd = error.lanewise(VectorOperators.LSHR, 16).and(1);
      error.add(errorOdd).add(0x7FFF).lanewise(VectorOperators.LSHR, 16).intoArray(errorBits, i);
    }
  }

  /**
   * Floating-point formats, which have a sign: magnitudes are enough. A number of the format is
   * found by adding and subtracting a power of two whose last bit is worth one step of the format.
   */
  static void floats(float[] weights, int n, float scale, CandidateFormat format, int[] errorBits) {
    float reciprocal = 1 / scale;
    boolean e4m3 = format.highest() == 448;
    int smallestExponent = (e4m3 ? 127 - 6 : 127) << 23;
    int toLastBit = (e4m3 ? 23 - 3 : 23 - 1) << 23;
    int highest = Float.floatToRawIntBits(format.highest());
    for (int i = 0; i < n; i += F.length()) {
      FloatVector x = FloatVector.fromArray(F, weights, i).abs();
      IntVector quotient = x.mul(reciprocal).reinterpretAsInts().add(0x8000).and(BF16);
      FloatVector magic =
          quotient.and(EXPONENT).max(smallestExponent).add(toLastBit).reinterpretAsFloats();
      IntVector code =
          quotient.reinterpretAsFloats().add(magic).sub(magic).reinterpretAsInts().min(highest);
      IntVector product = code.reinterpretAsFloats().mul(scale).reinterpretAsInts();
      IntVector odd = product.lanewise(VectorOperators.LSHR, 16).and(1);
      IntVector rounded = product.add(odd).add(0x7FFF).and(BF16);
      IntVector error = rounded.reinterpretAsFloats().sub(x).reinterpretAsInts().and(MAGNITUDE);
      IntVector errorOdd = error.lanewise(VectorOperators.LSHR, 16).and(1);
      error.add(errorOdd).add(0x7FFF).lanewise(VectorOperators.LSHR, 16).intoArray(errorBits, i);
    }
  }

  /** Errors {@code R(fakeQuantize(x)) - x} of symmetric integers, not rounded. */
  static void integerErrors(
      float[] weights, int n, float scale, CandidateFormat format, float[] errors) {
    float reciprocal = 1 / scale;
    int lowest = MAGIC_BITS + (int) format.lowest();
    int highest = MAGIC_BITS + (int) format.highest();
    for (int i = 0; i < n; i += F.length()) {
      FloatVector x = FloatVector.fromArray(F, weights, i);
      IntVector quotient = x.mul(reciprocal).reinterpretAsInts().add(0x8000).and(BF16);
      IntVector code =
          quotient.reinterpretAsFloats().add(MAGIC).reinterpretAsInts().max(lowest).min(highest);
      IntVector product = code.reinterpretAsFloats().sub(MAGIC).mul(scale).reinterpretAsInts();
      IntVector odd = product.lanewise(VectorOperators.LSHR, 16).and(1);
      IntVector rounded = product.add(odd).add(0x7FFF).and(BF16);
      rounded.reinterpretAsFloats().sub(x).intoArray(errors, i);
    }
  }

  /** As {@link #integerErrors}, for the magnitudes of floating-point formats. */
  static void floatErrors(
      float[] weights, int n, float scale, CandidateFormat format, float[] errors) {
    float reciprocal = 1 / scale;
    boolean e4m3 = format.highest() == 448;
    int smallestExponent = (e4m3 ? 127 - 6 : 127) << 23;
    int toLastBit = (e4m3 ? 23 - 3 : 23 - 1) << 23;
    int highest = Float.floatToRawIntBits(format.highest());
    for (int i = 0; i < n; i += F.length()) {
      FloatVector x = FloatVector.fromArray(F, weights, i).abs();
      IntVector quotient = x.mul(reciprocal).reinterpretAsInts().add(0x8000).and(BF16);
      FloatVector magic =
          quotient.and(EXPONENT).max(smallestExponent).add(toLastBit).reinterpretAsFloats();
      IntVector code =
          quotient.reinterpretAsFloats().add(magic).sub(magic).reinterpretAsInts().min(highest);
      IntVector product = code.reinterpretAsFloats().mul(scale).reinterpretAsInts();
      IntVector odd = product.lanewise(VectorOperators.LSHR, 16).and(1);
      IntVector rounded = product.add(odd).add(0x7FFF).and(BF16);
      rounded.reinterpretAsFloats().sub(x).intoArray(errors, i);
    }
  }

  /**
   * Sums of squared errors of symmetric integers, one for each lane.
   *
   * @param n a multiple of the number of lanes
   */
  static void integerSquares(
      float[] weights, int begin, int n, float scale, CandidateFormat format, float[] lanes) {
    float reciprocal = 1 / scale;
    int lowest = MAGIC_BITS + (int) format.lowest();
    int highest = MAGIC_BITS + (int) format.highest();
    for (int lane = 0; lane < lanes.length; lane += F.length()) {
      FloatVector sum = FloatVector.zero(F);
      for (int i = begin + lane; i < begin + n; i += lanes.length) {
        FloatVector x = FloatVector.fromArray(F, weights, i);
        IntVector quotient = x.mul(reciprocal).reinterpretAsInts().add(0x8000).and(BF16);
        IntVector code =
            quotient.reinterpretAsFloats().add(MAGIC).reinterpretAsInts().max(lowest).min(highest);
        IntVector product = code.reinterpretAsFloats().sub(MAGIC).mul(scale).reinterpretAsInts();
        IntVector odd = product.lanewise(VectorOperators.LSHR, 16).and(1);
        IntVector rounded = product.add(odd).add(0x7FFF).and(BF16);
        FloatVector error = rounded.reinterpretAsFloats().sub(x);
        sum = sum.add(error.mul(error));
      }
      sum.intoArray(lanes, lane);
    }
  }

  /** As {@link #integerSquares}, with a zero point. */
  static void shiftedIntegerSquares(
      float[] weights,
      int begin,
      int n,
      float scale,
      float zeroPoint,
      CandidateFormat format,
      float[] lanes) {
    float reciprocal = 1 / scale;
    int lowest = MAGIC_BITS + (int) format.lowest();
    int highest = MAGIC_BITS + (int) format.highest();
    float magicAndZero = MAGIC + zeroPoint;
    for (int lane = 0; lane < lanes.length; lane += F.length()) {
      FloatVector sum = FloatVector.zero(F);
      for (int i = begin + lane; i < begin + n; i += lanes.length) {
        FloatVector x = FloatVector.fromArray(F, weights, i);
        IntVector quotient = x.mul(reciprocal).reinterpretAsInts().add(0x8000).and(BF16);
        IntVector shifted = quotient.reinterpretAsFloats().add(zeroPoint).reinterpretAsInts();
        IntVector shiftedOdd = shifted.lanewise(VectorOperators.LSHR, 16).and(1);
        IntVector code =
            shifted
                .add(shiftedOdd)
                .add(0x7FFF)
                .and(BF16)
                .reinterpretAsFloats()
                .add(MAGIC)
                .reinterpretAsInts()
                .max(lowest)
                .min(highest);
        IntVector product =
            code.reinterpretAsFloats().sub(magicAndZero).mul(scale).reinterpretAsInts();
        IntVector odd = product.lanewise(VectorOperators.LSHR, 16).and(1);
        IntVector rounded = product.add(odd).add(0x7FFF).and(BF16);
        FloatVector error = rounded.reinterpretAsFloats().sub(x);
        sum = sum.add(error.mul(error));
      }
      sum.intoArray(lanes, lane);
    }
  }

  /** As {@link #integerSquares}, for floating-point formats. */
  static void floatSquares(
      float[] weights, int begin, int n, float scale, CandidateFormat format, float[] lanes) {
    float reciprocal = 1 / scale;
    boolean e4m3 = format.highest() == 448;
    int smallestExponent = (e4m3 ? 127 - 6 : 127) << 23;
    int toLastBit = (e4m3 ? 23 - 3 : 23 - 1) << 23;
    int highest = Float.floatToRawIntBits(format.highest());
    for (int lane = 0; lane < lanes.length; lane += F.length()) {
      FloatVector sum = FloatVector.zero(F);
      for (int i = begin + lane; i < begin + n; i += lanes.length) {
        FloatVector x = FloatVector.fromArray(F, weights, i).abs();
        IntVector quotient = x.mul(reciprocal).reinterpretAsInts().add(0x8000).and(BF16);
        FloatVector magic =
            quotient.and(EXPONENT).max(smallestExponent).add(toLastBit).reinterpretAsFloats();
        IntVector code =
            quotient.reinterpretAsFloats().add(magic).sub(magic).reinterpretAsInts().min(highest);
        IntVector product = code.reinterpretAsFloats().mul(scale).reinterpretAsInts();
        IntVector odd = product.lanewise(VectorOperators.LSHR, 16).and(1);
        IntVector rounded = product.add(odd).add(0x7FFF).and(BF16);
        FloatVector error = rounded.reinterpretAsFloats().sub(x);
        sum = sum.add(error.mul(error));
      }
      sum.intoArray(lanes, lane);
    }
  }

  /**
   * Scales of symmetric ranges that shrink by factors: {@code R(R(magnitude * factor) / half)},
   * where {@code half} is half of the format's range, and epsilon in the place of zero.
   *
   * @return how many were made: whole vectors
   */
  static int scales(
      float[] factors, int steps, float magnitude, CandidateFormat format, float[] scales) {
    float half = (format.highest() - format.lowest()) / 2;
    int bound = F.loopBound(steps);
    for (int i = 0; i < bound; i += F.length()) {
      IntVector range = FloatVector.fromArray(F, factors, i).mul(magnitude).reinterpretAsInts();
      IntVector rangeOdd = range.lanewise(VectorOperators.LSHR, 16).and(1);
      IntVector scale =
          range
              .add(rangeOdd)
              .add(0x7FFF)
              .and(BF16)
              .reinterpretAsFloats()
              .div(half)
              .reinterpretAsInts();
      IntVector odd = scale.lanewise(VectorOperators.LSHR, 16).and(1);
      IntVector rounded = scale.add(odd).add(0x7FFF).and(BF16);
      rounded
          .blend(EPSILON_BITS, rounded.compare(VectorOperators.EQ, 0))
          .reinterpretAsFloats()
          .intoArray(scales, i);
    }
    return bound;
  }
}
