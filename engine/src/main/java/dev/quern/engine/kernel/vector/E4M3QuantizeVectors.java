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

/** E4M3 quantization by division, for every type and every scale. */
final class E4M3QuantizeVectors {
  private static final VectorSpecies<Float> F = Shapes.F;
  // Far above 448 and far below the overflow of any type: clamping here keeps the roundings simple.
  private static final int LARGE = Float.floatToRawIntBits(1024f);

  private E4M3QuantizeVectors() {}

  static void bf16(
      MemorySegment source, long sourceOffset, int n, float scale, MemorySegment target, long to) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatVector t = FloatLanes.loadBf16(source, sourceOffset + 2L * i).div(scale);
      IntVector rounded = FloatLanes.roundBitsToBf16(clampedMagnitude(t));
      store(t, rounded, target, to + i);
    }
    tail(FloatType.BF16, source, sourceOffset, i, n, scale, target, to);
  }

  static void f16(
      MemorySegment source, long sourceOffset, int n, float scale, MemorySegment target, long to) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatVector t = FloatLanes.loadF16(source, sourceOffset + 2L * i).div(scale);
      IntVector rounded = FloatLanes.roundMagnitudeToF16(clampedMagnitude(t));
      store(t, rounded, target, to + i);
    }
    tail(FloatType.F16, source, sourceOffset, i, n, scale, target, to);
  }

  static void f32(
      MemorySegment source, long sourceOffset, int n, float scale, MemorySegment target, long to) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatVector t = FloatLanes.loadF32(source, sourceOffset + 4L * i).div(scale);
      store(t, clampedMagnitude(t), target, to + i);
    }
    tail(FloatType.F32, source, sourceOffset, i, n, scale, target, to);
  }

  private static IntVector clampedMagnitude(FloatVector t) {
    return t.reinterpretAsInts().and(0x7FFF_FFFF).min(LARGE);
  }

  private static void store(FloatVector t, IntVector rounded, MemorySegment target, long offset) {
    IntVector bits = t.reinterpretAsInts();
    VectorMask<Integer> zero = rounded.compare(VectorOperators.EQ, 0);
    IntVector sign = bits.lanewise(VectorOperators.LSHR, 24).and(0x80).blend(0, zero);
    IntVector code =
        E4M3Vectors.codes(rounded.reinterpretAsFloats())
            .blend(0x7F, FloatLanes.isNan(bits))
            .or(sign);
    ((ByteVector) code.convertShape(VectorOperators.I2B, Shapes.B_QUARTER, 0))
        .intoMemorySegment(target, offset, LE);
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
      float x = type.load(source, sourceOffset + (long) i * type.bytes());
      target.set(JAVA_BYTE, targetOffset + i, ScalarKernels.quantizeE4M3(type, x, scale));
    }
  }
}
