package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Packed E2M1 codes times the scales of their groups, in each of the three types.
 *
 * <pre>
 *   code  s ee m            value, normal      1.m * 2^(ee - 1)
 *                           value, ee = 0      0.m = 1.m - 1
 * </pre>
 *
 * <p>As many bytes as a vector has lanes become two vectors: each byte goes to two neighbouring
 * lanes, and the odd ones take its upper half. The first vector of each two is made in one pass
 * over a row, the second in another, so that the loop is short; and all is written out in it: see
 * {@link FloatLanes}. Lengths are multiples of two vectors; a vector lies within a group of 16 or
 * 32.
 */
final class E2M1DequantizeVectors {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final VectorSpecies<Integer> I = Shapes.I;

  private static final int MAGNITUDE = 0x7FFF_FFFF;
  private static final int INFINITY = 0x7F80_0000;

  private static final VectorShuffle<Integer> FIRST = VectorShuffle.fromOp(I, i -> i / 2);
  private static final VectorShuffle<Integer> SECOND =
      VectorShuffle.fromOp(I, i -> (i + I.length()) / 2);

  private E2M1DequantizeVectors() {}

  static void bf16(
      MemorySegment source,
      long from,
      int n,
      int groupSize,
      float[] scales,
      MemorySegment to,
      long at) {
    int shift = Integer.numberOfTrailingZeros(groupSize);
    int lanes = F.length();
    IntVector half = halves();
    for (int begin = 0; begin <= lanes; begin += lanes) {
      VectorShuffle<Integer> spread = begin == 0 ? FIRST : SECOND;
      for (int i = begin; i < n; i += 2 * lanes) {
        IntVector bytes =
            (IntVector)
                ByteVector.fromMemorySegment(Shapes.B_QUARTER, source, from + (i - begin) / 2, LE)
                    .convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
        IntVector code = bytes.rearrange(spread).lanewise(VectorOperators.LSHR, half);
        IntVector moved = code.and(7).lanewise(VectorOperators.LSHL, 22);
        VectorMask<Integer> subnormal = moved.compare(VectorOperators.LT, 1 << 23);
        FloatVector small = moved.add(127 << 23).reinterpretAsFloats().sub(1f);
        IntVector level =
            moved
                .add(126 << 23)
                .blend(small.reinterpretAsInts(), subnormal)
                .or(code.and(8).lanewise(VectorOperators.LSHL, 28));
        IntVector bits = level.reinterpretAsFloats().mul(scales[i >> shift]).reinterpretAsInts();
        VectorMask<Integer> nan = bits.and(MAGNITUDE).compare(VectorOperators.GT, INFINITY);
        IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
        IntVector rounded = bits.add(odd).add(0x7FFF).lanewise(VectorOperators.LSHR, 16);
        ((ShortVector)
                rounded.blend(0x7FC0, nan).convertShape(VectorOperators.I2S, Shapes.S_HALF, 0))
            .intoMemorySegment(to, at + 2L * i, LE);
      }
    }
  }

  static void f16(
      MemorySegment source,
      long from,
      int n,
      int groupSize,
      float[] scales,
      MemorySegment to,
      long at) {
    int shift = Integer.numberOfTrailingZeros(groupSize);
    int lanes = F.length();
    IntVector half = halves();
    for (int begin = 0; begin <= lanes; begin += lanes) {
      VectorShuffle<Integer> spread = begin == 0 ? FIRST : SECOND;
      for (int i = begin; i < n; i += 2 * lanes) {
        IntVector bytes =
            (IntVector)
                ByteVector.fromMemorySegment(Shapes.B_QUARTER, source, from + (i - begin) / 2, LE)
                    .convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
        IntVector code = bytes.rearrange(spread).lanewise(VectorOperators.LSHR, half);
        IntVector moved = code.and(7).lanewise(VectorOperators.LSHL, 22);
        VectorMask<Integer> subnormal = moved.compare(VectorOperators.LT, 1 << 23);
        FloatVector small = moved.add(127 << 23).reinterpretAsFloats().sub(1f);
        IntVector level =
            moved
                .add(126 << 23)
                .blend(small.reinterpretAsInts(), subnormal)
                .or(code.and(8).lanewise(VectorOperators.LSHL, 28));
        IntVector bits = level.reinterpretAsFloats().mul(scales[i >> shift]).reinterpretAsInts();
        IntVector magnitude = bits.and(MAGNITUDE);
        VectorMask<Integer> nan = magnitude.compare(VectorOperators.GT, INFINITY);
        IntVector clamped = magnitude.min(0x4780_0000); // 2^16: rounds to infinity
        FloatVector magic =
            clamped.and(INFINITY).max(113 << 23).add(13 << 23).reinterpretAsFloats();
        IntVector sum = clamped.reinterpretAsFloats().add(magic).reinterpretAsInts();
        IntVector number =
            sum.lanewise(VectorOperators.LSHR, 13)
                .add(sum.and(0xFFF))
                .sub(126 << 10)
                .min(0x7C00)
                .or(bits.lanewise(VectorOperators.LSHR, 16).and(0x8000));
        ((ShortVector)
                number.blend(0x7E00, nan).convertShape(VectorOperators.I2S, Shapes.S_HALF, 0))
            .intoMemorySegment(to, at + 2L * i, LE);
      }
    }
  }

  static void f32(
      MemorySegment source,
      long from,
      int n,
      int groupSize,
      float[] scales,
      MemorySegment to,
      long at) {
    int shift = Integer.numberOfTrailingZeros(groupSize);
    int lanes = F.length();
    IntVector half = halves();
    for (int begin = 0; begin <= lanes; begin += lanes) {
      VectorShuffle<Integer> spread = begin == 0 ? FIRST : SECOND;
      for (int i = begin; i < n; i += 2 * lanes) {
        IntVector bytes =
            (IntVector)
                ByteVector.fromMemorySegment(Shapes.B_QUARTER, source, from + (i - begin) / 2, LE)
                    .convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
        IntVector code = bytes.rearrange(spread).lanewise(VectorOperators.LSHR, half);
        IntVector moved = code.and(7).lanewise(VectorOperators.LSHL, 22);
        VectorMask<Integer> subnormal = moved.compare(VectorOperators.LT, 1 << 23);
        FloatVector small = moved.add(127 << 23).reinterpretAsFloats().sub(1f);
        IntVector level =
            moved
                .add(126 << 23)
                .blend(small.reinterpretAsInts(), subnormal)
                .or(code.and(8).lanewise(VectorOperators.LSHL, 28));
        IntVector bits = level.reinterpretAsFloats().mul(scales[i >> shift]).reinterpretAsInts();
        VectorMask<Integer> nan = bits.and(MAGNITUDE).compare(VectorOperators.GT, INFINITY);
        bits.blend(0x7FC0_0000, nan).intoMemorySegment(to, at + 4L * i, LE);
      }
    }
  }

  /** How far each lane shifts its byte: 0 and 4 in turn. */
  private static IntVector halves() {
    return IntVector.zero(I).addIndex(1).and(1).lanewise(VectorOperators.LSHL, 2);
  }
}
