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
 * Integer codes less their zero point, times a scale, in each of the three types.
 *
 * <p>Stores are those of {@link FloatLanes}, written out: C2 may have no nodes left for helpers of
 * ours.
 */
final class IntDequantizeVectors {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final int MAGNITUDE = 0x7FFF_FFFF;
  private static final int INFINITY = 0x7F80_0000;

  private IntDequantizeVectors() {}

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
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatVector code =
          (FloatVector)
              ByteVector.fromMemorySegment(Shapes.B_QUARTER, source, from + i, LE)
                  .convertShape(VectorOperators.B2F, F, 0);
      IntVector bits = code.sub(zeroPoint).mul(scale).reinterpretAsInts();
      VectorMask<Integer> nan = bits.and(MAGNITUDE).compare(VectorOperators.GT, INFINITY);
      IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
      IntVector rounded = bits.add(odd).add(0x7FFF).lanewise(VectorOperators.LSHR, 16);
      ((ShortVector) rounded.blend(0x7FC0, nan).convertShape(VectorOperators.I2S, Shapes.S_HALF, 0))
          .intoMemorySegment(target, to + 2L * i, LE);
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
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatVector code =
          (FloatVector)
              ByteVector.fromMemorySegment(Shapes.B_QUARTER, source, from + i, LE)
                  .convertShape(VectorOperators.B2F, F, 0);
      IntVector bits = code.sub(zeroPoint).mul(scale).reinterpretAsInts();
      IntVector magnitude = bits.and(MAGNITUDE);
      VectorMask<Integer> nan = magnitude.compare(VectorOperators.GT, INFINITY);
      IntVector clamped = magnitude.min(0x4780_0000); // 2^16: rounds to infinity
      FloatVector magic = clamped.and(INFINITY).max(113 << 23).add(13 << 23).reinterpretAsFloats();
      IntVector sum = clamped.reinterpretAsFloats().add(magic).reinterpretAsInts();
      IntVector half =
          sum.lanewise(VectorOperators.LSHR, 13)
              .add(sum.and(0xFFF))
              .sub(126 << 10)
              .min(0x7C00)
              .or(bits.lanewise(VectorOperators.LSHR, 16).and(0x8000));
      ((ShortVector) half.blend(0x7E00, nan).convertShape(VectorOperators.I2S, Shapes.S_HALF, 0))
          .intoMemorySegment(target, to + 2L * i, LE);
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
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatVector code =
          (FloatVector)
              ByteVector.fromMemorySegment(Shapes.B_QUARTER, source, from + i, LE)
                  .convertShape(VectorOperators.B2F, F, 0);
      IntVector bits = code.sub(zeroPoint).mul(scale).reinterpretAsInts();
      VectorMask<Integer> nan = bits.and(MAGNITUDE).compare(VectorOperators.GT, INFINITY);
      bits.blend(0x7FC0_0000, nan).intoMemorySegment(target, to + 4L * i, LE);
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
      float value = ScalarIntKernels.dequantize(source.get(JAVA_BYTE, from + i), groups, group);
      type.store(target, to + (long) i * type.bytes(), value);
    }
  }
}
