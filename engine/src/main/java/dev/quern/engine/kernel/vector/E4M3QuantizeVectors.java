package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.engine.kernel.ScalarKernels;
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
 * E4M3 quantization by division, for every type and every scale.
 *
 * <p>How a magnitude becomes a code: let 2^e be the power of two below it, at least 2^-6. Adding
 * 2^(e+20), whose last bit is worth 2^(e-3), makes the adder round to E4M3's three fraction bits,
 * half to even, and leaves in the low bits of the sum the count n of steps of 2^(e-3). The code is
 * 8 (e + 6) + n, for normal and subnormal values alike.
 */
final class E4M3QuantizeVectors {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final int MAGNITUDE = 0x7FFF_FFFF;
  private static final int INFINITY = 0x7F80_0000;
  // The largest value. Clamping here, before any rounding, keeps the roundings simple.
  private static final int MAX = Float.floatToRawIntBits(448f);
  private static final int MIN_NORMAL_EXPONENT = Float.floatToRawIntBits(0x1p-6f);
  // Bits of the largest quotient that f16 rounds to zero: half of its smallest number.
  private static final int F16_ZERO = Float.floatToRawIntBits(0x1p-25f);

  private E4M3QuantizeVectors() {}

  static void bf16(
      MemorySegment source, long sourceOffset, int n, float scale, MemorySegment target, long to) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatVector t = FloatLanes.loadBf16(source, sourceOffset + 2L * i).div(scale);
      IntVector bits = t.reinterpretAsInts();
      IntVector rounded = FloatLanes.roundBitsToBf16(bits.and(MAGNITUDE).min(MAX));
      store(bits, rounded, target, to + i);
    }
    tail(FloatType.BF16, source, sourceOffset, i, n, scale, target, to);
  }

  /**
   * All written out: helpers would come too late, see {@link FloatLanes}.
   *
   * <p>The quotient is rounded to f16's significand by adding to its bits. Below 2^-14, where f16
   * has fewer bits, only the sign is left of it, and a zero has none: f16 rounds to zero up to
   * 2^-25.
   */
  static void f16(
      MemorySegment source, long sourceOffset, int n, float scale, MemorySegment target, long to) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      // As FloatLanes.loadF16; widened with its sign, a pattern has it in place.
      IntVector loaded =
          (IntVector)
              ShortVector.fromMemorySegment(Shapes.S_HALF, source, sourceOffset + 2L * i, LE)
                  .convertShape(VectorOperators.S2I, Shapes.I, 0);
      IntVector moved = loaded.and(0x7FFF).lanewise(VectorOperators.LSHL, 13);
      VectorMask<Integer> special = moved.compare(VectorOperators.GE, 0x0F80_0000);
      VectorMask<Integer> subnormal = moved.compare(VectorOperators.LT, 1 << 23);
      FloatVector small = moved.add(113 << 23).reinterpretAsFloats().sub(0x1p-14f);
      IntVector x =
          moved
              .add(112 << 23)
              .blend(small.reinterpretAsInts(), subnormal)
              .blend(moved.or(INFINITY), special);
      IntVector magnitude = x.reinterpretAsFloats().div(scale).reinterpretAsInts();
      VectorMask<Integer> nan = magnitude.compare(VectorOperators.GT, INFINITY);
      IntVector clamped = magnitude.min(MAX);
      IntVector odd = clamped.lanewise(VectorOperators.LSHR, 13).and(1);
      IntVector rounded = clamped.add(odd).add(0xFFF).and(0xFFFF_E000);
      // The top bit is set exactly where the quotient does not round to zero.
      IntVector sign =
          clamped.sub(F16_ZERO).neg().and(loaded).lanewise(VectorOperators.LSHR, 24).and(0x80);
      IntVector magic = rounded.and(INFINITY).max(MIN_NORMAL_EXPONENT).add(20 << 23);
      IntVector sum =
          rounded.reinterpretAsFloats().add(magic.reinterpretAsFloats()).reinterpretAsInts();
      IntVector code = sum.lanewise(VectorOperators.LSHR, 20).add(sum).sub(141 << 3);
      ((ByteVector)
              code.blend(0x7F, nan).or(sign).convertShape(VectorOperators.I2B, Shapes.B_QUARTER, 0))
          .intoMemorySegment(target, to + i, LE);
    }
    tail(FloatType.F16, source, sourceOffset, i, n, scale, target, to);
  }

  static void f32(
      MemorySegment source, long sourceOffset, int n, float scale, MemorySegment target, long to) {
    int i = 0;
    for (int bound = F.loopBound(n); i < bound; i += F.length()) {
      FloatVector t = FloatLanes.loadF32(source, sourceOffset + 4L * i).div(scale);
      IntVector bits = t.reinterpretAsInts();
      store(bits, bits.and(MAGNITUDE).min(MAX), target, to + i);
    }
    tail(FloatType.F32, source, sourceOffset, i, n, scale, target, to);
  }

  /**
   * @param bits the quotient
   * @param rounded its magnitude, rounded to the type of the weights and at most 448
   */
  private static void store(IntVector bits, IntVector rounded, MemorySegment target, long offset) {
    VectorMask<Integer> nan = bits.and(MAGNITUDE).compare(VectorOperators.GT, INFINITY);
    // The negation has its top bit set exactly when the magnitude is not zero: -0 becomes +0.
    IntVector sign = bits.and(rounded.neg()).lanewise(VectorOperators.LSHR, 24).and(0x80);
    IntVector magic = rounded.and(INFINITY).max(MIN_NORMAL_EXPONENT).add(20 << 23);
    IntVector sum =
        rounded.reinterpretAsFloats().add(magic.reinterpretAsFloats()).reinterpretAsInts();
    // What is above the low eight bits is garbage, and dropped.
    IntVector code = sum.lanewise(VectorOperators.LSHR, 20).add(sum).sub(141 << 3);
    ((ByteVector)
            code.blend(0x7F, nan).or(sign).convertShape(VectorOperators.I2B, Shapes.B_QUARTER, 0))
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
