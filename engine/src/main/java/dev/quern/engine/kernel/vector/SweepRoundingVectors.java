package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import dev.quern.engine.kernel.IntGroups;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Columns of weights to codes and levels, each lane a row with its own scale.
 *
 * <p>The ways to a code are those of {@link IntQuantizeVectors}, {@link E4M3QuantizeVectors} and
 * {@link E2M1QuantizeVectors}; the level is what remains when the number that was added to make the
 * adder round is subtracted again, which is exact.
 *
 * <p>Each returns how many elements it did, whole vectors only.
 */
final class SweepRoundingVectors {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final int SIGN = 1 << 31;
  private static final int MAGNITUDE = 0x7FFF_FFFF;
  private static final int INFINITY = 0x7F80_0000;
  private static final int CANONICAL_NAN = 0x7FC0_0000;

  private static final float TO_INTEGER = 0x1.8p23f;
  private static final int ZERO = Float.floatToRawIntBits(TO_INTEGER);

  private static final int E4M3_MAX = Float.floatToRawIntBits(448f);
  private static final int E4M3_MIN_NORMAL = Float.floatToRawIntBits(0x1p-6f);

  private static final int E2M1_MAX = Float.floatToRawIntBits(6f);
  private static final int ONE = Float.floatToRawIntBits(1f);
  private static final int E2M1_CODE_BIAS = 2 * (127 + 22);

  private SweepRoundingVectors() {}

  static int integers(
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
      long levelsOffset) {
    int lowest = ZERO + IntGroups.lowest(bits);
    int highest = ZERO + IntGroups.highest(bits);
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatVector x = FloatVector.fromMemorySegment(F, column, columnOffset + 4L * i, LE);
      FloatVector scale = FloatVector.fromMemorySegment(F, scales, scalesOffset + 4L * i, LE);
      FloatVector zero =
          FloatVector.fromMemorySegment(F, zeroPoints, zeroPointsOffset + 4L * i, LE);
      FloatVector sum = x.div(scale).add(zero);
      VectorMask<Integer> nan =
          sum.reinterpretAsInts().and(MAGNITUDE).compare(VectorOperators.GT, INFINITY);
      IntVector code =
          sum.add(TO_INTEGER).reinterpretAsInts().max(lowest).min(highest).blend(ZERO, nan);
      code.reinterpretAsFloats()
          .sub(TO_INTEGER)
          .sub(zero)
          .intoMemorySegment(levels, levelsOffset + 4L * i, LE);
      ((ByteVector) code.convertShape(VectorOperators.I2B, Shapes.B_QUARTER, 0))
          .intoMemorySegment(codes, codesOffset + i, LE);
    }
    return i;
  }

  static int e4m3(
      MemorySegment column,
      long columnOffset,
      int n,
      MemorySegment scales,
      long scalesOffset,
      MemorySegment codes,
      long codesOffset,
      MemorySegment levels,
      long levelsOffset) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatVector x = FloatVector.fromMemorySegment(F, column, columnOffset + 4L * i, LE);
      FloatVector scale = FloatVector.fromMemorySegment(F, scales, scalesOffset + 4L * i, LE);
      IntVector quotient = x.div(scale).reinterpretAsInts();
      IntVector magnitude = quotient.and(MAGNITUDE);
      VectorMask<Integer> nan = magnitude.compare(VectorOperators.GT, INFINITY);
      IntVector clamped = magnitude.min(E4M3_MAX);
      // The negation has its top bit set exactly when the magnitude is not zero: -0 becomes +0.
      IntVector sign = quotient.and(clamped.neg()).and(SIGN);
      FloatVector magic =
          clamped.and(INFINITY).max(E4M3_MIN_NORMAL).add(20 << 23).reinterpretAsFloats();
      FloatVector sum = clamped.reinterpretAsFloats().add(magic);
      sum.sub(magic)
          .reinterpretAsInts()
          .blend(CANONICAL_NAN, nan)
          .or(sign)
          .intoMemorySegment(levels, levelsOffset + 4L * i, LE);
      // What is above the low eight bits is garbage, and dropped.
      IntVector bits = sum.reinterpretAsInts();
      IntVector code =
          bits.lanewise(VectorOperators.LSHR, 20).add(bits).sub(141 << 3).blend(0x7F, nan);
      ((ByteVector)
              code.or(sign.lanewise(VectorOperators.LSHR, 24))
                  .convertShape(VectorOperators.I2B, Shapes.B_QUARTER, 0))
          .intoMemorySegment(codes, codesOffset + i, LE);
    }
    return i;
  }

  static int e2m1(
      MemorySegment column,
      long columnOffset,
      int n,
      MemorySegment scales,
      long scalesOffset,
      MemorySegment codes,
      long codesOffset,
      MemorySegment levels,
      long levelsOffset) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatVector x = FloatVector.fromMemorySegment(F, column, columnOffset + 4L * i, LE);
      FloatVector scale = FloatVector.fromMemorySegment(F, scales, scalesOffset + 4L * i, LE);
      IntVector magnitude = x.div(scale).reinterpretAsInts().and(MAGNITUDE).min(E2M1_MAX);
      IntVector sign = magnitude.neg().and(x.reinterpretAsInts()).and(SIGN);
      FloatVector magic = magnitude.and(INFINITY).max(ONE).add(22 << 23).reinterpretAsFloats();
      FloatVector sum = magnitude.reinterpretAsFloats().add(magic);
      sum.sub(magic)
          .reinterpretAsInts()
          .or(sign)
          .intoMemorySegment(levels, levelsOffset + 4L * i, LE);
      IntVector bits = sum.reinterpretAsInts();
      IntVector code = bits.lanewise(VectorOperators.LSHR, 22).sub(E2M1_CODE_BIAS).add(bits.and(7));
      ((ByteVector)
              code.or(sign.lanewise(VectorOperators.LSHR, 28))
                  .convertShape(VectorOperators.I2B, Shapes.B_QUARTER, 0))
          .intoMemorySegment(codes, codesOffset + i, LE);
    }
    return i;
  }
}
