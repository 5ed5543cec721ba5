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
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Integer quantization by division, for every type and every scale: runs of one group, one byte a
 * code.
 *
 * <p>A symmetric run has the zero point 0, and adding that changes no code. Rounding to an integer
 * and clamping are as in {@link IntQuantizeBf16}; NaN has a code of its own, 0.
 *
 * <p>Quotient and sum are rounded to the type's significand by adding to their bits, half to even.
 * For f16 this ignores how its exponent ends: what overflows there is beyond every code here, too,
 * and below 2^-14, where f16 has fewer bits, a quotient is far from the tie next to any zero point,
 * and a sum has code 0.
 *
 * <p>Everything is written out: C2 may have no nodes left for helpers of ours, see {@link
 * FloatLanes}.
 */
final class IntQuantizeVectors {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final float TO_INTEGER = 0x1.8p23f;
  private static final int ZERO = Float.floatToRawIntBits(TO_INTEGER);
  private static final int MAGNITUDE = 0x7FFF_FFFF;
  private static final int INFINITY = 0x7F80_0000;

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
      IntVector loaded =
          (IntVector)
              ShortVector.fromMemorySegment(Shapes.S_HALF, source, from + 2L * i, LE)
                  .convertShape(VectorOperators.ZERO_EXTEND_S2I, Shapes.I, 0);
      IntVector quotient =
          loaded
              .lanewise(VectorOperators.LSHL, 16)
              .reinterpretAsFloats()
              .div(scale)
              .reinterpretAsInts();
      IntVector quotientOdd = quotient.lanewise(VectorOperators.LSHR, 16).and(1);
      IntVector rounded = quotient.add(quotientOdd).add(0x7FFF).and(0xFFFF_0000);
      IntVector sum = rounded.reinterpretAsFloats().add(zeroPoint).reinterpretAsInts();
      IntVector sumOdd = sum.lanewise(VectorOperators.LSHR, 16).and(1);
      IntVector bits = sum.add(sumOdd).add(0x7FFF).and(0xFFFF_0000);
      // Of NaN the rounding may have made a number; the quotient knows.
      VectorMask<Integer> nan = quotient.and(MAGNITUDE).compare(VectorOperators.GT, INFINITY);
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
      // As FloatLanes.loadF16; widened with its sign, a pattern has it in place.
      IntVector loaded =
          (IntVector)
              ShortVector.fromMemorySegment(Shapes.S_HALF, source, from + 2L * i, LE)
                  .convertShape(VectorOperators.S2I, Shapes.I, 0);
      IntVector moved = loaded.and(0x7FFF).lanewise(VectorOperators.LSHL, 13);
      VectorMask<Integer> special = moved.compare(VectorOperators.GE, 0x0F80_0000);
      VectorMask<Integer> subnormal = moved.compare(VectorOperators.LT, 1 << 23);
      FloatVector small = moved.add(113 << 23).reinterpretAsFloats().sub(0x1p-14f);
      IntVector magnitude =
          moved
              .add(112 << 23)
              .blend(small.reinterpretAsInts(), subnormal)
              .blend(moved.or(INFINITY), special);
      IntVector quotient =
          magnitude.or(loaded.and(~MAGNITUDE)).reinterpretAsFloats().div(scale).reinterpretAsInts();
      IntVector quotientOdd = quotient.lanewise(VectorOperators.LSHR, 13).and(1);
      IntVector rounded = quotient.add(quotientOdd).add(0xFFF).and(0xFFFF_E000);
      IntVector sum = rounded.reinterpretAsFloats().add(zeroPoint).reinterpretAsInts();
      IntVector sumOdd = sum.lanewise(VectorOperators.LSHR, 13).and(1);
      IntVector bits = sum.add(sumOdd).add(0xFFF).and(0xFFFF_E000);
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
      FloatVector sum =
          FloatVector.fromMemorySegment(F, source, from + 4L * i, LE).div(scale).add(zeroPoint);
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
