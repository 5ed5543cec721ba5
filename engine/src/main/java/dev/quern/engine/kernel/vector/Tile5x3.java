package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import dev.quern.engine.annotation.SuppressForbidden;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The tile for 32 vector registers: 5 rows of 3 vectors, 15 sums, 3 vectors of B and an element of
 * A at a time. See {@link Tile4x3} for the shape of its loop. Tiles of 18 sums and more would do as
 * well, but are too much for C1: where it gives up, a method can stay slow for good.
 */
@SuppressForbidden(reason = "the law of matrix products is a chain of fused multiply-adds")
final class Tile5x3 {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int LANES = F.length();
  private static final long VECTOR = 4L * LANES;

  static final int ROWS = 5;
  static final int COLUMNS = 3 * LANES;

  private Tile5x3() {}

  /** See {@link dev.quern.engine.kernel.MatrixKernels#multiply}. */
  static void multiply(
      MemorySegment left,
      long leftOffset,
      MemorySegment right,
      long rightOffset,
      int depth,
      MemorySegment target,
      long targetOffset,
      long stride) {
    MemorySegment a = left.asSlice(leftOffset, 4L * ROWS * depth);
    MemorySegment b = right.asSlice(rightOffset, 4L * COLUMNS * depth);
    MemorySegment c = target.asSlice(targetOffset, (ROWS - 1) * stride + 4L * COLUMNS);
    FloatVector c00 = FloatVector.fromMemorySegment(F, c, 0, LE);
    FloatVector c01 = FloatVector.fromMemorySegment(F, c, VECTOR, LE);
    FloatVector c02 = FloatVector.fromMemorySegment(F, c, 2 * VECTOR, LE);
    FloatVector c10 = FloatVector.fromMemorySegment(F, c, stride, LE);
    FloatVector c11 = FloatVector.fromMemorySegment(F, c, stride + VECTOR, LE);
    FloatVector c12 = FloatVector.fromMemorySegment(F, c, stride + 2 * VECTOR, LE);
    FloatVector c20 = FloatVector.fromMemorySegment(F, c, 2 * stride, LE);
    FloatVector c21 = FloatVector.fromMemorySegment(F, c, 2 * stride + VECTOR, LE);
    FloatVector c22 = FloatVector.fromMemorySegment(F, c, 2 * stride + 2 * VECTOR, LE);
    FloatVector c30 = FloatVector.fromMemorySegment(F, c, 3 * stride, LE);
    FloatVector c31 = FloatVector.fromMemorySegment(F, c, 3 * stride + VECTOR, LE);
    FloatVector c32 = FloatVector.fromMemorySegment(F, c, 3 * stride + 2 * VECTOR, LE);
    FloatVector c40 = FloatVector.fromMemorySegment(F, c, 4 * stride, LE);
    FloatVector c41 = FloatVector.fromMemorySegment(F, c, 4 * stride + VECTOR, LE);
    FloatVector c42 = FloatVector.fromMemorySegment(F, c, 4 * stride + 2 * VECTOR, LE);
    long stepA = a.byteSize() / Math.max(1, depth);
    long stepB = b.byteSize() / Math.max(1, depth);
    long atA = 0;
    long atB = 0;
    for (int k = 0; k < depth; k++, atA += stepA, atB += stepB) {
      FloatVector b0 = FloatVector.fromMemorySegment(F, b, atB, LE);
      FloatVector b1 = FloatVector.fromMemorySegment(F, b, atB + VECTOR, LE);
      FloatVector b2 = FloatVector.fromMemorySegment(F, b, atB + 2 * VECTOR, LE);
      FloatVector a0 = FloatVector.broadcast(F, a.get(FLOAT, atA));
      c00 = a0.fma(b0, c00);
      c01 = a0.fma(b1, c01);
      c02 = a0.fma(b2, c02);
      FloatVector a1 = FloatVector.broadcast(F, a.get(FLOAT, atA + 4));
      c10 = a1.fma(b0, c10);
      c11 = a1.fma(b1, c11);
      c12 = a1.fma(b2, c12);
      FloatVector a2 = FloatVector.broadcast(F, a.get(FLOAT, atA + 8));
      c20 = a2.fma(b0, c20);
      c21 = a2.fma(b1, c21);
      c22 = a2.fma(b2, c22);
      FloatVector a3 = FloatVector.broadcast(F, a.get(FLOAT, atA + 12));
      c30 = a3.fma(b0, c30);
      c31 = a3.fma(b1, c31);
      c32 = a3.fma(b2, c32);
      FloatVector a4 = FloatVector.broadcast(F, a.get(FLOAT, atA + 16));
      c40 = a4.fma(b0, c40);
      c41 = a4.fma(b1, c41);
      c42 = a4.fma(b2, c42);
    }
    c00.intoMemorySegment(c, 0, LE);
    c01.intoMemorySegment(c, VECTOR, LE);
    c02.intoMemorySegment(c, 2 * VECTOR, LE);
    c10.intoMemorySegment(c, stride, LE);
    c11.intoMemorySegment(c, stride + VECTOR, LE);
    c12.intoMemorySegment(c, stride + 2 * VECTOR, LE);
    c20.intoMemorySegment(c, 2 * stride, LE);
    c21.intoMemorySegment(c, 2 * stride + VECTOR, LE);
    c22.intoMemorySegment(c, 2 * stride + 2 * VECTOR, LE);
    c30.intoMemorySegment(c, 3 * stride, LE);
    c31.intoMemorySegment(c, 3 * stride + VECTOR, LE);
    c32.intoMemorySegment(c, 3 * stride + 2 * VECTOR, LE);
    c40.intoMemorySegment(c, 4 * stride, LE);
    c41.intoMemorySegment(c, 4 * stride + VECTOR, LE);
    c42.intoMemorySegment(c, 4 * stride + 2 * VECTOR, LE);
  }
}
