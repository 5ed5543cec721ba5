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

/** Integer codes less their zero point, times a scale, in each of the three types. */
final class IntDequantizeVectors {
  private static final VectorSpecies<Float> F = Shapes.F;

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
      // Written out, decode and store: C2 may have no nodes left for helpers of ours here.
      FloatVector code =
          (FloatVector)
              ByteVector.fromMemorySegment(Shapes.B_QUARTER, source, from + i, LE)
                  .convertShape(VectorOperators.B2F, F, 0);
      IntVector bits = code.sub(zeroPoint).mul(scale).reinterpretAsInts();
      VectorMask<Integer> nan = bits.and(0x7FFF_FFFF).compare(VectorOperators.GT, 0x7F80_0000);
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
      FloatVector value = decode(source, from + i).sub(zeroPoint).mul(scale);
      FloatLanes.storeF16(value, target, to + 2L * i);
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
      FloatVector value = decode(source, from + i).sub(zeroPoint).mul(scale);
      FloatLanes.storeF32(value, target, to + 4L * i);
    }
    tail(FloatType.F32, source, from, i, n, groups, group, target, to);
  }

  private static FloatVector decode(MemorySegment source, long offset) {
    return (FloatVector)
        ByteVector.fromMemorySegment(Shapes.B_QUARTER, source, offset, LE)
            .convertShape(VectorOperators.B2F, F, 0);
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
