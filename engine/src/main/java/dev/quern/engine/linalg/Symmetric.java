package dev.quern.engine.linalg;

import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Tasks;
import dev.quern.engine.parallel.Workers;
import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;

/** Symmetric matrices of which one triangle is stored: the other half, and other orders. */
public final class Symmetric {
  private static final FloatType F32 = FloatType.F32;
  private static final int TASK_ROWS = 32;

  private Symmetric() {}

  /**
   * Copies a triangle to the other one.
   *
   * @param from the triangle that holds the matrix
   */
  public static void mirror(FloatMatrix matrix, Triangle from) {
    Shapes.requireSquare("a symmetric matrix", matrix);
    MemorySegment data = matrix.data();
    int n = matrix.rows();
    int block = 32; // both squares stay in the first cache
    for (int top = 0; top < n; top += block) {
      for (int begin = 0; begin <= top; begin += block) {
        for (int r = top; r < Math.min(n, top + block); r++) {
          for (int c = begin; c < Math.min(r, begin + block); c++) {
            long lower = matrix.offset(r, c);
            long upper = matrix.offset(c, r);
            if (from == Triangle.LOWER) {
              F32.store(data, upper, F32.load(data, lower));
            } else {
              F32.store(data, lower, F32.load(data, upper));
            }
          }
        }
      }
    }
  }

  /**
   * The same matrix with its rows and columns in another order, {@code P A Pᵀ}: element (r, c) of
   * the target is element (order[r], order[c]) of the source.
   *
   * @param source [n, n], of which the lower triangle is read
   * @param order a permutation of 0 to n - 1
   * @param target [n, n], apart from the source; its lower triangle is written
   */
  public static void permuteLower(
      Workers workers, FloatMatrix source, int[] order, FloatMatrix target)
      throws InterruptedException {
    Shapes.requireSquare("a symmetric matrix", source);
    int n = source.rows();
    if (target.rows() != n || target.columns() != n) {
      throw new IllegalArgumentException(
          source.shape() + " in another order cannot go into " + target.shape());
    }
    Shapes.requireApart(source.operand(), target);
    requirePermutation(order, n);
    boolean same = IntStream.range(0, n).allMatch(i -> order[i] == i);
    Tasks.run(
        workers,
        Math.ceilDiv(n, TASK_ROWS),
        (task, worker) -> {
          int end = Math.min(n, (task + 1) * TASK_ROWS);
          for (int r = task * TASK_ROWS; r < end; r++) {
            if (same) {
              long bytes = 4L * (r + 1);
              MemorySegment.copy(
                  source.data(), source.offset(r, 0), target.data(), target.offset(r, 0), bytes);
            } else {
              gatherRow(source, order, r, target);
            }
          }
        });
  }

  private static void gatherRow(FloatMatrix source, int[] order, int r, FloatMatrix target) {
    MemorySegment from = source.data();
    MemorySegment to = target.data();
    int row = order[r];
    long rowBegin = source.offset(row, 0);
    long at = target.offset(r, 0);
    for (int c = 0; c <= r; c++) {
      int column = order[c];
      long offset = column <= row ? rowBegin + 4L * column : source.offset(column, row);
      F32.store(to, at + 4L * c, F32.load(from, offset));
    }
  }

  private static void requirePermutation(int[] order, int n) {
    if (order.length != n) {
      throw new IllegalArgumentException(
          "an order of " + order.length + " indices for a matrix of " + n + " rows");
    }
    boolean[] seen = new boolean[n];
    for (int index : order) {
      if (index < 0 || index >= n || seen[index]) {
        throw new IllegalArgumentException(
            "an order must hold each index from 0 to " + (n - 1) + " once; " + index + " is wrong");
      }
      seen[index] = true;
    }
  }
}
