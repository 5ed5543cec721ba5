package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.engine.kernel.ScalarKernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** E4M3 codes times a scale, in each of the three types. */
final class E4M3DequantizeVectors {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final VectorSpecies<Integer> I = Shapes.I;

  private E4M3DequantizeVectors() {}

  static void bf16(
      MemorySegment source, long sourceOffset, int n, float scale, MemorySegment target, long to) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatLanes.storeBf16(decode(source, sourceOffset + i).mul(scale), target, to + 2L * i);
    }
    tail(FloatType.BF16, source, sourceOffset, i, n, scale, target, to);
  }

  static void f16(
      MemorySegment source, long sourceOffset, int n, float scale, MemorySegment target, long to) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatLanes.storeF16(decode(source, sourceOffset + i).mul(scale), target, to + 2L * i);
    }
    tail(FloatType.F16, source, sourceOffset, i, n, scale, target, to);
  }

  static void f32(
      MemorySegment source, long sourceOffset, int n, float scale, MemorySegment target, long to) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatLanes.storeF32(decode(source, sourceOffset + i).mul(scale), target, to + 4L * i);
    }
    tail(FloatType.F32, source, sourceOffset, i, n, scale, target, to);
  }

  /**
   * <pre>
   *   code  s eeee mmm        value, normal      1.mmm * 2^(eeee - 7)
   *                           value, eeee = 0    0.mmm * 2^-6 = 1.mmm * 2^-6 - 2^-6
   * </pre>
   */
  private static FloatVector decode(MemorySegment source, long offset) {
    IntVector code =
        (IntVector)
            ByteVector.fromMemorySegment(Shapes.B_QUARTER, source, offset, LE)
                .convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
    IntVector magnitude = code.and(0x7F);
    IntVector moved = magnitude.lanewise(VectorOperators.LSHL, 20);
    VectorMask<Integer> subnormal = magnitude.compare(VectorOperators.LT, 8);
    VectorMask<Integer> nan = magnitude.compare(VectorOperators.EQ, 0x7F);
    FloatVector small = moved.add(121 << 23).reinterpretAsFloats().sub(0x1p-6f);
    IntVector bits =
        moved.add(120 << 23).blend(small.reinterpretAsInts(), subnormal).blend(0x7FC0_0000, nan);
    return bits.or(code.and(0x80).lanewise(VectorOperators.LSHL, 24)).reinterpretAsFloats();
  }

  private static void tail(
      FloatType type,
      MemorySegment source,
      long sourceOffset,
      int i,
      int n,
      float scale,
      MemorySegment target,
      long targetOffset) {
    for (; i < n; i++) {
      byte code = source.get(JAVA_BYTE, sourceOffset + i);
      float value = ScalarKernels.dequantizeE4M3(code, scale);
      type.store(target, targetOffset + (long) i * type.bytes(), value);
    }
  }
}
