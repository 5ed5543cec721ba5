package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import dev.quern.engine.kernel.ScalarKernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Conversions between bf16, f16 and f32.
 *
 * <p>What follows a load of f16 is written out; a helper would come late, see {@link FloatLanes}.
 */
final class ConvertVectors {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final int MAGNITUDE = 0x7FFF_FFFF;
  private static final int INFINITY = 0x7F80_0000;
  private static final int CANONICAL_NAN = 0x7FC0_0000;

  private ConvertVectors() {}

  static void bf16ToF32(MemorySegment source, long from, int n, MemorySegment target, long to) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatLanes.storeF32(FloatLanes.loadBf16(source, from + 2L * i), target, to + 4L * i);
    }
    tail(FloatType.BF16, source, from, i, n, FloatType.F32, target, to);
  }

  static void bf16ToF16(MemorySegment source, long from, int n, MemorySegment target, long to) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatLanes.storeF16(FloatLanes.loadBf16(source, from + 2L * i), target, to + 2L * i);
    }
    tail(FloatType.BF16, source, from, i, n, FloatType.F16, target, to);
  }

  static void f16ToF32(MemorySegment source, long from, int n, MemorySegment target, long to) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      IntVector bits = FloatLanes.loadF16(source, from + 2L * i).reinterpretAsInts();
      VectorMask<Integer> nan = bits.and(MAGNITUDE).compare(VectorOperators.GT, INFINITY);
      bits.blend(CANONICAL_NAN, nan).intoMemorySegment(target, to + 4L * i, LE);
    }
    tail(FloatType.F16, source, from, i, n, FloatType.F32, target, to);
  }

  static void f16ToBf16(MemorySegment source, long from, int n, MemorySegment target, long to) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      IntVector bits = FloatLanes.loadF16(source, from + 2L * i).reinterpretAsInts();
      VectorMask<Integer> nan = bits.and(MAGNITUDE).compare(VectorOperators.GT, INFINITY);
      IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
      IntVector rounded = bits.add(odd).add(0x7FFF).lanewise(VectorOperators.LSHR, 16);
      ((ShortVector)
              rounded
                  .blend(CANONICAL_NAN >>> 16, nan)
                  .convertShape(VectorOperators.I2S, Shapes.S_HALF, 0))
          .intoMemorySegment(target, to + 2L * i, LE);
    }
    tail(FloatType.F16, source, from, i, n, FloatType.BF16, target, to);
  }

  static void f32ToBf16(MemorySegment source, long from, int n, MemorySegment target, long to) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatLanes.storeBf16(FloatLanes.loadF32(source, from + 4L * i), target, to + 2L * i);
    }
    tail(FloatType.F32, source, from, i, n, FloatType.BF16, target, to);
  }

  static void f32ToF16(MemorySegment source, long from, int n, MemorySegment target, long to) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatLanes.storeF16(FloatLanes.loadF32(source, from + 4L * i), target, to + 2L * i);
    }
    tail(FloatType.F32, source, from, i, n, FloatType.F16, target, to);
  }

  private static void tail(
      FloatType from,
      MemorySegment source,
      long sourceOffset,
      int i,
      int n,
      FloatType to,
      MemorySegment target,
      long targetOffset) {
    for (; i < n; i++) {
      float value = from.load(source, sourceOffset + (long) i * from.bytes());
      to.store(target, targetOffset + (long) i * to.bytes(), ScalarKernels.canonical(value));
    }
  }
}
