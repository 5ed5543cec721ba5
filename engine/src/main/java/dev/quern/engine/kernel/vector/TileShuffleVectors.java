package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import dev.quern.engine.kernel.TileShuffle;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Eight vectors of eight rows become eight of a tile, by a {@link TileShuffle}, and back. All is
 * written out: C2 stops inlining helpers of ours in loops of this size.
 */
final class TileShuffleVectors {
  private static final VectorSpecies<Byte> B = Shapes.B;
  private static final VectorSpecies<Long> L = Shapes.L;
  private static final long BYTES = B.vectorByteSize();

  private TileShuffleVectors() {}

  /** Rows to tensor: {@code vectors} vectors of each row, one after the other. */
  static void scatter(
      TileShuffle shuffle,
      MemorySegment source,
      long from,
      long in0,
      long in1,
      long in2,
      int vectors,
      MemorySegment target,
      long to,
      long out0,
      long out1,
      long out2) {
    byte[][] tables = shuffle.steps();
    ByteVector s0 = ByteVector.fromArray(B, tables[0], 0);
    ByteVector u0 = ByteVector.fromArray(B, tables[1], 0);
    ByteVector s1 = ByteVector.fromArray(B, tables[2], 0);
    ByteVector u1 = ByteVector.fromArray(B, tables[3], 0);
    ByteVector s2 = ByteVector.fromArray(B, tables[4], 0);
    ByteVector u2 = ByteVector.fromArray(B, tables[5], 0);
    int shift = shuffle.nibbleShift();
    long mask = shuffle.nibbleMask();
    long step = shuffle.columnStep();
    for (int i = 0; i < vectors; i++) {
      LongVector x0 = LongVector.fromMemorySegment(L, source, from + (long) i * BYTES, LE);
      LongVector x1 = LongVector.fromMemorySegment(L, source, from + (long) i * BYTES + in0, LE);
      LongVector x2 = LongVector.fromMemorySegment(L, source, from + (long) i * BYTES + in1, LE);
      LongVector x3 =
          LongVector.fromMemorySegment(L, source, from + (long) i * BYTES + in0 + in1, LE);
      LongVector x4 = LongVector.fromMemorySegment(L, source, from + (long) i * BYTES + in2, LE);
      LongVector x5 =
          LongVector.fromMemorySegment(L, source, from + (long) i * BYTES + in0 + in2, LE);
      LongVector x6 =
          LongVector.fromMemorySegment(L, source, from + (long) i * BYTES + in1 + in2, LE);
      LongVector x7 =
          LongVector.fromMemorySegment(L, source, from + (long) i * BYTES + in0 + in1 + in2, LE);
      LongVector t0 =
          x0.lanewise(VectorOperators.LSHR, shift).lanewise(VectorOperators.XOR, x0).and(mask);
      LongVector t1 =
          x1.lanewise(VectorOperators.LSHR, shift).lanewise(VectorOperators.XOR, x1).and(mask);
      LongVector t2 =
          x2.lanewise(VectorOperators.LSHR, shift).lanewise(VectorOperators.XOR, x2).and(mask);
      LongVector t3 =
          x3.lanewise(VectorOperators.LSHR, shift).lanewise(VectorOperators.XOR, x3).and(mask);
      LongVector t4 =
          x4.lanewise(VectorOperators.LSHR, shift).lanewise(VectorOperators.XOR, x4).and(mask);
      LongVector t5 =
          x5.lanewise(VectorOperators.LSHR, shift).lanewise(VectorOperators.XOR, x5).and(mask);
      LongVector t6 =
          x6.lanewise(VectorOperators.LSHR, shift).lanewise(VectorOperators.XOR, x6).and(mask);
      LongVector t7 =
          x7.lanewise(VectorOperators.LSHR, shift).lanewise(VectorOperators.XOR, x7).and(mask);
      ByteVector a0 =
          x0.lanewise(VectorOperators.XOR, t0)
              .lanewise(VectorOperators.XOR, t0.lanewise(VectorOperators.LSHL, shift))
              .reinterpretAsBytes();
      ByteVector a1 =
          x1.lanewise(VectorOperators.XOR, t1)
              .lanewise(VectorOperators.XOR, t1.lanewise(VectorOperators.LSHL, shift))
              .reinterpretAsBytes();
      ByteVector a2 =
          x2.lanewise(VectorOperators.XOR, t2)
              .lanewise(VectorOperators.XOR, t2.lanewise(VectorOperators.LSHL, shift))
              .reinterpretAsBytes();
      ByteVector a3 =
          x3.lanewise(VectorOperators.XOR, t3)
              .lanewise(VectorOperators.XOR, t3.lanewise(VectorOperators.LSHL, shift))
              .reinterpretAsBytes();
      ByteVector a4 =
          x4.lanewise(VectorOperators.XOR, t4)
              .lanewise(VectorOperators.XOR, t4.lanewise(VectorOperators.LSHL, shift))
              .reinterpretAsBytes();
      ByteVector a5 =
          x5.lanewise(VectorOperators.XOR, t5)
              .lanewise(VectorOperators.XOR, t5.lanewise(VectorOperators.LSHL, shift))
              .reinterpretAsBytes();
      ByteVector a6 =
          x6.lanewise(VectorOperators.XOR, t6)
              .lanewise(VectorOperators.XOR, t6.lanewise(VectorOperators.LSHL, shift))
              .reinterpretAsBytes();
      ByteVector a7 =
          x7.lanewise(VectorOperators.XOR, t7)
              .lanewise(VectorOperators.XOR, t7.lanewise(VectorOperators.LSHL, shift))
              .reinterpretAsBytes();
      ByteVector b0 = s0.selectFrom(a0, a1);
      ByteVector b1 = u0.selectFrom(a0, a1);
      ByteVector b2 = s0.selectFrom(a2, a3);
      ByteVector b3 = u0.selectFrom(a2, a3);
      ByteVector b4 = s0.selectFrom(a4, a5);
      ByteVector b5 = u0.selectFrom(a4, a5);
      ByteVector b6 = s0.selectFrom(a6, a7);
      ByteVector b7 = u0.selectFrom(a6, a7);
      ByteVector c0 = s1.selectFrom(b0, b2);
      ByteVector c2 = u1.selectFrom(b0, b2);
      ByteVector c1 = s1.selectFrom(b1, b3);
      ByteVector c3 = u1.selectFrom(b1, b3);
      ByteVector c4 = s1.selectFrom(b4, b6);
      ByteVector c6 = u1.selectFrom(b4, b6);
      ByteVector c5 = s1.selectFrom(b5, b7);
      ByteVector c7 = u1.selectFrom(b5, b7);
      ByteVector d0 = s2.selectFrom(c0, c4);
      ByteVector d4 = u2.selectFrom(c0, c4);
      ByteVector d1 = s2.selectFrom(c1, c5);
      ByteVector d5 = u2.selectFrom(c1, c5);
      ByteVector d2 = s2.selectFrom(c2, c6);
      ByteVector d6 = u2.selectFrom(c2, c6);
      ByteVector d3 = s2.selectFrom(c3, c7);
      ByteVector d7 = u2.selectFrom(c3, c7);
      d0.intoMemorySegment(target, to + i * step, LE);
      d1.intoMemorySegment(target, to + i * step + out0, LE);
      d2.intoMemorySegment(target, to + i * step + out1, LE);
      d3.intoMemorySegment(target, to + i * step + out0 + out1, LE);
      d4.intoMemorySegment(target, to + i * step + out2, LE);
      d5.intoMemorySegment(target, to + i * step + out0 + out2, LE);
      d6.intoMemorySegment(target, to + i * step + out1 + out2, LE);
      d7.intoMemorySegment(target, to + i * step + out0 + out1 + out2, LE);
    }
  }

  /** Tensor to rows. */
  static void gather(
      TileShuffle shuffle,
      MemorySegment source,
      long from,
      long in0,
      long in1,
      long in2,
      int vectors,
      MemorySegment target,
      long to,
      long out0,
      long out1,
      long out2) {
    byte[][] tables = shuffle.back();
    ByteVector s0 = ByteVector.fromArray(B, tables[0], 0);
    ByteVector u0 = ByteVector.fromArray(B, tables[1], 0);
    ByteVector s1 = ByteVector.fromArray(B, tables[2], 0);
    ByteVector u1 = ByteVector.fromArray(B, tables[3], 0);
    ByteVector s2 = ByteVector.fromArray(B, tables[4], 0);
    ByteVector u2 = ByteVector.fromArray(B, tables[5], 0);
    int shift = shuffle.nibbleShift();
    long mask = shuffle.nibbleMask();
    long step = shuffle.columnStep();
    for (int i = 0; i < vectors; i++) {
      ByteVector a0 = ByteVector.fromMemorySegment(B, source, from + i * step, LE);
      ByteVector a1 = ByteVector.fromMemorySegment(B, source, from + i * step + in0, LE);
      ByteVector a2 = ByteVector.fromMemorySegment(B, source, from + i * step + in1, LE);
      ByteVector a3 = ByteVector.fromMemorySegment(B, source, from + i * step + in0 + in1, LE);
      ByteVector a4 = ByteVector.fromMemorySegment(B, source, from + i * step + in2, LE);
      ByteVector a5 = ByteVector.fromMemorySegment(B, source, from + i * step + in0 + in2, LE);
      ByteVector a6 = ByteVector.fromMemorySegment(B, source, from + i * step + in1 + in2, LE);
      ByteVector a7 =
          ByteVector.fromMemorySegment(B, source, from + i * step + in0 + in1 + in2, LE);
      ByteVector b0 = s0.selectFrom(a0, a4);
      ByteVector b4 = u0.selectFrom(a0, a4);
      ByteVector b1 = s0.selectFrom(a1, a5);
      ByteVector b5 = u0.selectFrom(a1, a5);
      ByteVector b2 = s0.selectFrom(a2, a6);
      ByteVector b6 = u0.selectFrom(a2, a6);
      ByteVector b3 = s0.selectFrom(a3, a7);
      ByteVector b7 = u0.selectFrom(a3, a7);
      ByteVector c0 = s1.selectFrom(b0, b2);
      ByteVector c2 = u1.selectFrom(b0, b2);
      ByteVector c1 = s1.selectFrom(b1, b3);
      ByteVector c3 = u1.selectFrom(b1, b3);
      ByteVector c4 = s1.selectFrom(b4, b6);
      ByteVector c6 = u1.selectFrom(b4, b6);
      ByteVector c5 = s1.selectFrom(b5, b7);
      ByteVector c7 = u1.selectFrom(b5, b7);
      ByteVector d0 = s2.selectFrom(c0, c1);
      ByteVector d1 = u2.selectFrom(c0, c1);
      ByteVector d2 = s2.selectFrom(c2, c3);
      ByteVector d3 = u2.selectFrom(c2, c3);
      ByteVector d4 = s2.selectFrom(c4, c5);
      ByteVector d5 = u2.selectFrom(c4, c5);
      ByteVector d6 = s2.selectFrom(c6, c7);
      ByteVector d7 = u2.selectFrom(c6, c7);
      LongVector x0 = d0.reinterpretAsLongs();
      LongVector x1 = d1.reinterpretAsLongs();
      LongVector x2 = d2.reinterpretAsLongs();
      LongVector x3 = d3.reinterpretAsLongs();
      LongVector x4 = d4.reinterpretAsLongs();
      LongVector x5 = d5.reinterpretAsLongs();
      LongVector x6 = d6.reinterpretAsLongs();
      LongVector x7 = d7.reinterpretAsLongs();
      LongVector t0 =
          x0.lanewise(VectorOperators.LSHR, shift).lanewise(VectorOperators.XOR, x0).and(mask);
      LongVector t1 =
          x1.lanewise(VectorOperators.LSHR, shift).lanewise(VectorOperators.XOR, x1).and(mask);
      LongVector t2 =
          x2.lanewise(VectorOperators.LSHR, shift).lanewise(VectorOperators.XOR, x2).and(mask);
      LongVector t3 =
          x3.lanewise(VectorOperators.LSHR, shift).lanewise(VectorOperators.XOR, x3).and(mask);
      LongVector t4 =
          x4.lanewise(VectorOperators.LSHR, shift).lanewise(VectorOperators.XOR, x4).and(mask);
      LongVector t5 =
          x5.lanewise(VectorOperators.LSHR, shift).lanewise(VectorOperators.XOR, x5).and(mask);
      LongVector t6 =
          x6.lanewise(VectorOperators.LSHR, shift).lanewise(VectorOperators.XOR, x6).and(mask);
      LongVector t7 =
          x7.lanewise(VectorOperators.LSHR, shift).lanewise(VectorOperators.XOR, x7).and(mask);
      x0.lanewise(VectorOperators.XOR, t0)
          .lanewise(VectorOperators.XOR, t0.lanewise(VectorOperators.LSHL, shift))
          .intoMemorySegment(target, to + (long) i * BYTES, LE);
      x1.lanewise(VectorOperators.XOR, t1)
          .lanewise(VectorOperators.XOR, t1.lanewise(VectorOperators.LSHL, shift))
          .intoMemorySegment(target, to + (long) i * BYTES + out0, LE);
      x2.lanewise(VectorOperators.XOR, t2)
          .lanewise(VectorOperators.XOR, t2.lanewise(VectorOperators.LSHL, shift))
          .intoMemorySegment(target, to + (long) i * BYTES + out1, LE);
      x3.lanewise(VectorOperators.XOR, t3)
          .lanewise(VectorOperators.XOR, t3.lanewise(VectorOperators.LSHL, shift))
          .intoMemorySegment(target, to + (long) i * BYTES + out0 + out1, LE);
      x4.lanewise(VectorOperators.XOR, t4)
          .lanewise(VectorOperators.XOR, t4.lanewise(VectorOperators.LSHL, shift))
          .intoMemorySegment(target, to + (long) i * BYTES + out2, LE);
      x5.lanewise(VectorOperators.XOR, t5)
          .lanewise(VectorOperators.XOR, t5.lanewise(VectorOperators.LSHL, shift))
          .intoMemorySegment(target, to + (long) i * BYTES + out0 + out2, LE);
      x6.lanewise(VectorOperators.XOR, t6)
          .lanewise(VectorOperators.XOR, t6.lanewise(VectorOperators.LSHL, shift))
          .intoMemorySegment(target, to + (long) i * BYTES + out1 + out2, LE);
      x7.lanewise(VectorOperators.XOR, t7)
          .lanewise(VectorOperators.XOR, t7.lanewise(VectorOperators.LSHL, shift))
          .intoMemorySegment(target, to + (long) i * BYTES + out0 + out1 + out2, LE);
    }
  }
}
