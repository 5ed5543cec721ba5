package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Levels times scales, rounded to the type of the weights, in their place; each returns how many
 * elements it did, whole vectors only.
 */
final class SweepDequantizeVectors {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final int MAGNITUDE = 0x7FFF_FFFF;
  private static final int INFINITY = 0x7F80_0000;
  private static final int CANONICAL_NAN = 0x7FC0_0000;
  private static final int BEYOND_F16 = Float.floatToRawIntBits(0x1p16f);

  private SweepDequantizeVectors() {}

  static int bf16(MemorySegment levels, long at, int n, MemorySegment scales, long scalesAt) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      IntVector bits = product(levels, at + 4L * i, scales, scalesAt + 4L * i);
      VectorMask<Integer> nan = bits.and(MAGNITUDE).compare(VectorOperators.GT, INFINITY);
      FloatLanes.roundBitsToBf16(bits)
          .blend(CANONICAL_NAN, nan)
          .intoMemorySegment(levels, at + 4L * i, LE);
    }
    return i;
  }

  static int f16(MemorySegment levels, long at, int n, MemorySegment scales, long scalesAt) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      IntVector bits = product(levels, at + 4L * i, scales, scalesAt + 4L * i);
      IntVector magnitude = bits.and(MAGNITUDE);
      IntVector rounded = FloatLanes.roundMagnitudeToF16(magnitude.min(BEYOND_F16));
      VectorMask<Integer> infinite = rounded.compare(VectorOperators.GE, BEYOND_F16);
      VectorMask<Integer> nan = magnitude.compare(VectorOperators.GT, INFINITY);
      rounded
          .blend(INFINITY, infinite)
          .or(bits.and(~MAGNITUDE))
          .blend(CANONICAL_NAN, nan)
          .intoMemorySegment(levels, at + 4L * i, LE);
    }
    return i;
  }

  static int f32(MemorySegment levels, long at, int n, MemorySegment scales, long scalesAt) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      IntVector bits = product(levels, at + 4L * i, scales, scalesAt + 4L * i);
      VectorMask<Integer> nan = bits.and(MAGNITUDE).compare(VectorOperators.GT, INFINITY);
      bits.blend(CANONICAL_NAN, nan).intoMemorySegment(levels, at + 4L * i, LE);
    }
    return i;
  }

  private static IntVector product(
      MemorySegment levels, long at, MemorySegment scales, long scalesAt) {
    FloatVector level = FloatVector.fromMemorySegment(F, levels, at, LE);
    return level.mul(FloatVector.fromMemorySegment(F, scales, scalesAt, LE)).reinterpretAsInts();
  }
}
