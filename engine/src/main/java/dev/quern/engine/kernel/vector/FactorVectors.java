package dev.quern.engine.kernel.vector;

import static dev.quern.engine.kernel.vector.Shapes.LE;

import dev.quern.engine.annotation.SuppressForbidden;
import dev.quern.engine.kernel.ScalarMatrixKernels;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** The small loops of triangles and sums; vectors run along rows. */
@SuppressForbidden(reason = "the law of matrix products is a chain of fused multiply-adds")
final class FactorVectors {
  private static final VectorSpecies<Float> F = Shapes.F;
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private FactorVectors() {}

  static void solveTile(
      MemorySegment negated,
      long negatedOffset,
      int tileRows,
      MemorySegment diagonal,
      long diagonalOffset,
      int n,
      MemorySegment x,
      long xOffset,
      int columns) {
    for (int i = 0; i < n; i++) {
      FloatVector divisor = FloatVector.broadcast(F, diagonal.get(FLOAT, diagonalOffset + 4L * i));
      for (int j = 0; j < columns; j += F.length()) {
        long column = xOffset + 4L * j;
        long at = column + 4L * i * columns;
        FloatVector sum = FloatVector.fromMemorySegment(F, x, at, LE);
        for (int k = 0; k < i; k++) {
          float left = negated.get(FLOAT, negatedOffset + 4L * (k * tileRows + i));
          FloatVector right = FloatVector.fromMemorySegment(F, x, column + 4L * k * columns, LE);
          sum = FloatVector.broadcast(F, left).fma(right, sum);
        }
        sum.div(divisor).intoMemorySegment(x, at, LE);
      }
    }
  }

  /**
   * Whole vectors from the one that holds the diagonal on: what they change below the diagonal or
   * behind column n is arbitrary by contract, and rows have room for it.
   */
  static int factorUpper(MemorySegment a, long offset, long stride, int n) {
    int lanes = F.length();
    for (int k = 0; k < n; k++) {
      long row = offset + k * stride;
      float pivot = a.get(FLOAT, row + 4L * k);
      if (!ScalarMatrixKernels.isPositive(pivot)) {
        return k;
      }
      float root = (float) Math.sqrt(pivot);
      for (int j = (k + 1) / lanes * lanes; j < n; j += lanes) {
        FloatVector.fromMemorySegment(F, a, row + 4L * j, LE)
            .div(root)
            .intoMemorySegment(a, row + 4L * j, LE);
      }
      a.set(FLOAT, row + 4L * k, root);
      for (int i = k + 1; i < n; i++) {
        subtractRow(a, row, offset + i * stride, i, n);
      }
    }
    return -1;
  }

  private static void subtractRow(MemorySegment a, long row, long target, int i, int n) {
    int lanes = F.length();
    FloatVector factor = FloatVector.broadcast(F, -a.get(FLOAT, row + 4L * i));
    for (int j = i / lanes * lanes; j < n; j += lanes) {
      FloatVector right = FloatVector.fromMemorySegment(F, a, row + 4L * j, LE);
      FloatVector sum = FloatVector.fromMemorySegment(F, a, target + 4L * j, LE);
      factor.fma(right, sum).intoMemorySegment(a, target + 4L * j, LE);
    }
  }

  static void addCompensated(
      MemorySegment x,
      long xOffset,
      MemorySegment sum,
      long sumOffset,
      MemorySegment compensation,
      long compensationOffset,
      int n) {
    int whole = F.loopBound(n);
    for (int i = 0; i < whole; i += F.length()) {
      FloatVector s = FloatVector.fromMemorySegment(F, sum, sumOffset + 4L * i, LE);
      FloatVector y = FloatVector.fromMemorySegment(F, x, xOffset + 4L * i, LE);
      long at = compensationOffset + 4L * i;
      FloatVector lost = FloatVector.fromMemorySegment(F, compensation, at, LE);
      FloatVector t = s.add(y);
      FloatVector part = t.sub(s);
      FloatVector error = s.sub(t.sub(part)).add(y.sub(part));
      t.intoMemorySegment(sum, sumOffset + 4L * i, LE);
      lost.add(error).intoMemorySegment(compensation, at, LE);
    }
    ScalarMatrixKernels.addCompensated(
        x, xOffset, sum, sumOffset, compensation, compensationOffset, whole, n);
  }
}
