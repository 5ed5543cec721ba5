package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Loads and stores of bf16, f16 and f32 as binary32 lanes, in element order; small enough to be
 * inlined.
 *
 * <p>Stores round to nearest even and write the canonical NaN.
 *
 * <p>The helpers call few others, and none late. C2 always inlines the methods of the Vector API,
 * but ours only while the loop has less than 18,000 nodes, which is about 30 operations on vectors
 * ({@code NodeCountInliningCutoff}). Behind that a call of ours stays a call: its vectors become
 * objects, and the loop runs ten times slower.
 */
final class FloatLanes {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final VectorSpecies<Integer> I = Shapes.I;
  private static final VectorSpecies<Short> S_HALF = Shapes.S_HALF;
  private static final int MAGNITUDE = 0x7FFF_FFFF;
  private static final int INFINITY = 0x7F80_0000;
  private static final int CANONICAL_NAN = 0x7FC0_0000;

  private FloatLanes() {}

  static FloatVector loadF32(MemorySegment source, long offset) {
    return FloatVector.fromMemorySegment(F, source, offset, LE);
  }

  static FloatVector loadBf16(MemorySegment source, long offset) {
    return halves(source, offset).lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
  }

  /**
   * f16 bits moved to binary32's place give the value divided by 2^112, subnormals included;
   * infinity and NaN need their exponent filled.
   */
  static FloatVector loadF16(MemorySegment source, long offset) {
    IntVector bits = halves(source, offset);
    IntVector moved = bits.and(0x7FFF).lanewise(VectorOperators.LSHL, 13);
    VectorMask<Integer> special = moved.compare(VectorOperators.GE, 0x0F80_0000);
    // Subnormals would be binary32 subnormals here, which some CPUs multiply slowly; so the
    // exponent
    // is raised by one and the implicit bit, which subnormals lack, subtracted again.
    VectorMask<Integer> subnormal = moved.compare(VectorOperators.LT, 1 << 23);
    FloatVector normal = moved.add(112 << 23).reinterpretAsFloats();
    FloatVector small = moved.add(113 << 23).reinterpretAsFloats().sub(0x1p-14f);
    IntVector magnitude =
        normal
            .reinterpretAsInts()
            .blend(small.reinterpretAsInts(), subnormal)
            .blend(moved.or(INFINITY), special);
    return magnitude.or(bits.and(0x8000).lanewise(VectorOperators.LSHL, 16)).reinterpretAsFloats();
  }

  static void storeF32(FloatVector x, MemorySegment target, long offset) {
    IntVector bits = x.reinterpretAsInts();
    VectorMask<Integer> nan = bits.and(MAGNITUDE).compare(VectorOperators.GT, INFINITY);
    bits.blend(CANONICAL_NAN, nan).intoMemorySegment(target, offset, LE);
  }

  static void storeBf16(FloatVector x, MemorySegment target, long offset) {
    IntVector bits = x.reinterpretAsInts();
    VectorMask<Integer> nan = bits.and(MAGNITUDE).compare(VectorOperators.GT, INFINITY);
    IntVector rounded = roundBitsToBf16(bits).lanewise(VectorOperators.LSHR, 16);
    ((ShortVector)
            rounded.blend(CANONICAL_NAN >>> 16, nan).convertShape(VectorOperators.I2S, S_HALF, 0))
        .intoMemorySegment(target, offset, LE);
  }

  /**
   * As in {@link E4M3QuantizeVectors}, for ten fraction bits: code = 1024 (e + 14) + n, at most
   * infinity's.
   */
  static void storeF16(FloatVector x, MemorySegment target, long offset) {
    IntVector bits = x.reinterpretAsInts();
    IntVector magnitude = bits.and(MAGNITUDE);
    VectorMask<Integer> nan = magnitude.compare(VectorOperators.GT, INFINITY);
    IntVector clamped = magnitude.min(0x4780_0000); // 2^16: rounds to infinity
    IntVector sum = clamped.reinterpretAsFloats().add(f16Magic(clamped)).reinterpretAsInts();
    IntVector code =
        sum.lanewise(VectorOperators.LSHR, 13)
            .add(sum.and(0xFFF))
            .sub(126 << 10)
            .min(0x7C00)
            .or(bits.lanewise(VectorOperators.LSHR, 16).and(0x8000));
    ((ShortVector) code.blend(0x7E00, nan).convertShape(VectorOperators.I2S, S_HALF, 0))
        .intoMemorySegment(target, offset, LE);
  }

  /**
   * Rounds the bits of finite binary32 values to bf16, half to even, leaving the lower half zero.
   */
  static IntVector roundBitsToBf16(IntVector bits) {
    IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
    return bits.add(odd).add(0x7FFF).and(0xFFFF_0000);
  }

  /** Rounds magnitudes below 2^16, given as binary32 bits, to f16 values. */
  static IntVector roundMagnitudeToF16(IntVector magnitude) {
    FloatVector magic = f16Magic(magnitude);
    return magnitude.reinterpretAsFloats().add(magic).sub(magic).reinterpretAsInts();
  }

  // 2^(e+13), whose last bit is worth 2^(e-10): one step of f16 at magnitudes of 2^e, e at least
  // -14.
  private static FloatVector f16Magic(IntVector magnitude) {
    return magnitude.and(INFINITY).max(113 << 23).add(13 << 23).reinterpretAsFloats();
  }

  private static IntVector halves(MemorySegment source, long offset) {
    return (IntVector)
        ShortVector.fromMemorySegment(S_HALF, source, offset, LE)
            .convertShape(VectorOperators.ZERO_EXTEND_S2I, I, 0);
  }
}
