package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.engine.kernel.IntGroups;
import dev.quern.engine.kernel.ScalarIntKernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Integer quantization by division, for every type and every scale: runs of one group, one byte a
 * code.
 *
 * <p>A symmetric run has the zero point 0, and adding that changes no code. Rounding to an integer
 * and clamping are as in {@link IntQuantizeBf16}; NaN has a code of its own, 0.
 */
final class IntQuantizeVectors {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final float TO_INTEGER = 0x1.8p23f;
  private static final int ZERO = Float.floatToRawIntBits(TO_INTEGER);
  private static final int MAGNITUDE = 0x7FFF_FFFF;
  private static final int INFINITY = 0x7F80_0000;
  // Beyond every code, and within the range in which rounding to f16 is simple.
  private static final int LARGE = Float.floatToRawIntBits(0x1p15f);

  private IntQuantizeVectors() {}

  static void bf16(
      MemorySegment source,
      long from,
      int n,
      IntGroups groups,
      int group,
      MemorySegment target,
      long to) {
    float scale = groups.scales()[group];
    float zeroPoint = groups.zeroPoint(group);
    int lowest = ZERO + IntGroups.lowest(groups.bits());
    int highest = ZERO + IntGroups.highest(groups.bits());
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatVector quotient = FloatLanes.loadBf16(source, from + 2L * i).div(scale);
      IntVector rounded = FloatLanes.roundBitsToBf16(quotient.reinterpretAsInts());
      FloatVector sum = rounded.reinterpretAsFloats().add(zeroPoint);
      IntVector bits = FloatLanes.roundBitsToBf16(sum.reinterpretAsInts());
      // Of NaN the rounding may have made a number; the quotient knows.
      VectorMask<Integer> nan =
          quotient.reinterpretAsInts().and(MAGNITUDE).compare(VectorOperators.GT, INFINITY);
      IntVector code = bits.reinterpretAsFloats().add(TO_INTEGER).reinterpretAsInts();
      ((ByteVector)
              code.max(lowest)
                  .min(highest)
                  .blend(ZERO, nan)
                  .convertShape(VectorOperators.I2B, Shapes.B_QUARTER, 0))
          .intoMemorySegment(target, to + i, LE);
    }
    tail(FloatType.BF16, source, from, i, n, groups, group, target, to);
  }

  static void f16(
      MemorySegment source,
      long from,
      int n,
      IntGroups groups,
      int group,
      MemorySegment target,
      long to) {
    float scale = groups.scales()[group];
    float zeroPoint = groups.zeroPoint(group);
    int lowest = ZERO + IntGroups.lowest(groups.bits());
    int highest = ZERO + IntGroups.highest(groups.bits());
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      IntVector quotient = FloatLanes.loadF16(source, from + 2L * i).div(scale).reinterpretAsInts();
      IntVector magnitude = FloatLanes.roundMagnitudeToF16(quotient.and(MAGNITUDE).min(LARGE));
      IntVector rounded = magnitude.or(quotient.and(~MAGNITUDE));
      IntVector sum = rounded.reinterpretAsFloats().add(zeroPoint).reinterpretAsInts();
      // Rounded to f16 as FloatLanes does it, written out because it would come too late.
      IntVector sumMagnitude = sum.and(MAGNITUDE);
      FloatVector magic =
          sumMagnitude.and(INFINITY).max(113 << 23).add(13 << 23).reinterpretAsFloats();
      IntVector bits =
          sumMagnitude
              .reinterpretAsFloats()
              .add(magic)
              .sub(magic)
              .reinterpretAsInts()
              .or(sum.and(~MAGNITUDE));
      VectorMask<Integer> nan = quotient.and(MAGNITUDE).compare(VectorOperators.GT, INFINITY);
      IntVector code = bits.reinterpretAsFloats().add(TO_INTEGER).reinterpretAsInts();
      ((ByteVector)
              code.max(lowest)
                  .min(highest)
                  .blend(ZERO, nan)
                  .convertShape(VectorOperators.I2B, Shapes.B_QUARTER, 0))
          .intoMemorySegment(target, to + i, LE);
    }
    tail(FloatType.F16, source, from, i, n, groups, group, target, to);
  }

  static void f32(
      MemorySegment source,
      long from,
      int n,
      IntGroups groups,
      int group,
      MemorySegment target,
      long to) {
    float scale = groups.scales()[group];
    float zeroPoint = groups.zeroPoint(group);
    int lowest = ZERO + IntGroups.lowest(groups.bits());
    int highest = ZERO + IntGroups.highest(groups.bits());
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatVector sum = FloatLanes.loadF32(source, from + 4L * i).div(scale).add(zeroPoint);
      VectorMask<Integer> nan =
          sum.reinterpretAsInts().and(MAGNITUDE).compare(VectorOperators.GT, INFINITY);
      IntVector code = sum.add(TO_INTEGER).reinterpretAsInts();
      ((ByteVector)
              code.max(lowest)
                  .min(highest)
                  .blend(ZERO, nan)
                  .convertShape(VectorOperators.I2B, Shapes.B_QUARTER, 0))
          .intoMemorySegment(target, to + i, LE);
    }
    tail(FloatType.F32, source, from, i, n, groups, group, target, to);
  }

  private static void tail(
      FloatType type,
      MemorySegment source,
      long from,
      int i,
      int n,
      IntGroups groups,
      int group,
      MemorySegment target,
      long to) {
    for (; i < n; i++) {
      float x = type.load(source, from + (long) i * type.bytes());
      target.set(JAVA_BYTE, to + i, ScalarIntKernels.quantize(type, x, groups, group));
    }
  }
}
