package dev.quern.engine.linalg;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.MemorySegment;

/** Symmetric matrices of which one triangle is stored: the other half, and other orders. */
public final class Symmetric {
  private static final FloatType F32 = FloatType.F32;

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
   * @param source [n, n], of which {@code triangle} is read
   * @param triangle the triangle that holds the source, and that is written
   * @param order a permutation of 0 to n - 1
   * @param target [n, n], apart from the source
   */
  public static void permute(
      FloatMatrix source, Triangle triangle, int[] order, FloatMatrix target) {
    Shapes.requireSquare("a symmetric matrix", source);
    int n = source.rows();
    if (target.rows() != n || target.columns() != n) {
      throw new IllegalArgumentException(
          source.shape() + " in another order cannot go into " + target.shape());
    }
    Shapes.requireApart(source.operand(), target);
    requirePermutation(order, n);
    MemorySegment from = source.data();
    MemorySegment to = target.data();
    boolean lower = triangle == Triangle.LOWER;
    for (int r = 0; r < n; r++) {
      int row = order[r];
      for (int c = lower ? 0 : r; c < (lower ? r + 1 : n); c++) {
        int column = order[c];
        boolean stored = lower ? column <= row : column >= row;
        long at = stored ? source.offset(row, column) : source.offset(column, row);
        F32.store(to, target.offset(r, c), F32.load(from, at));
      }
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
