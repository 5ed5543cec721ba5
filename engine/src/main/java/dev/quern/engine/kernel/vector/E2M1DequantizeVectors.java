package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Packed E2M1 codes times the scales of their groups, in each of the three types.
 *
 * <p>As many bytes as a vector has lanes become two vectors: each byte goes to two neighbouring
 * lanes, and the odd ones take its upper half. Lengths are multiples of two vectors; a vector lies
 * within a group of 16 or 32.
 */
final class E2M1DequantizeVectors {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final VectorSpecies<Integer> I = Shapes.I;

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
    for (int i = 0; i < n; i += 2 * lanes) {
      IntVector bytes = bytes(source, from + i / 2);
      FloatVector first = decode(bytes.rearrange(FIRST), half).mul(scales[i >> shift]);
      FloatLanes.storeBf16(first, to, at + 2L * i);
      FloatVector second = decode(bytes.rearrange(SECOND), half).mul(scales[i + lanes >> shift]);
      FloatLanes.storeBf16(second, to, at + 2L * (i + lanes));
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
    for (int i = 0; i < n; i += 2 * lanes) {
      IntVector bytes = bytes(source, from + i / 2);
      FloatVector first = decode(bytes.rearrange(FIRST), half).mul(scales[i >> shift]);
      FloatLanes.storeF16(first, to, at + 2L * i);
      FloatVector second = decode(bytes.rearrange(SECOND), half).mul(scales[i + lanes >> shift]);
      FloatLanes.storeF16(second, to, at + 2L * (i + lanes));
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
    for (int i = 0; i < n; i += 2 * lanes) {
      IntVector bytes = bytes(source, from + i / 2);
      FloatVector first = decode(bytes.rearrange(FIRST), half).mul(scales[i >> shift]);
      FloatLanes.storeF32(first, to, at + 4L * i);
      FloatVector second = decode(bytes.rearrange(SECOND), half).mul(scales[i + lanes >> shift]);
      FloatLanes.storeF32(second, to, at + 4L * (i + lanes));
    }
  }

  /** How far each lane shifts its byte: 0 and 4 in turn. */
  private static IntVector halves() {
    return IntVector.zero(I).addIndex(1).and(1).lanewise(VectorOperators.LSHL, 2);
  }

  private static IntVector bytes(MemorySegment source, long offset) {
    return (IntVector)
        ByteVector.fromMemorySegment(Shapes.B_QUARTER, source, offset, LE)
            .convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
  }

  /**
   * <pre>
   *   code  s ee m            value, normal      1.m * 2^(ee - 1)
   *                           value, ee = 0      0.m = 1.m - 1
   * </pre>
   */
  private static FloatVector decode(IntVector bytes, IntVector half) {
    IntVector code = bytes.lanewise(VectorOperators.LSHR, half);
    IntVector moved = code.and(7).lanewise(VectorOperators.LSHL, 22);
    VectorMask<Integer> subnormal = moved.compare(VectorOperators.LT, 1 << 23);
    FloatVector small = moved.add(127 << 23).reinterpretAsFloats().sub(1f);
    IntVector magnitude = moved.add(126 << 23).blend(small.reinterpretAsInts(), subnormal);
    return magnitude.or(code.and(8).lanewise(VectorOperators.LSHL, 28)).reinterpretAsFloats();
  }
}
