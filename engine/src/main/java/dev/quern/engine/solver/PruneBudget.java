package dev.quern.engine.solver;

import dev.quern.engine.sparsity.Sparsity;
import java.math.BigInteger;
import java.util.stream.IntStream;

/**
 * How many weights of each block of columns an unstructured target takes. Blocks get equal shares
 * of what is left when the weights that must stay zero are counted, rounded so that the total is
 * met exactly.
 */
final class PruneBudget {
  private final long[] fixedBefore;
  private final long free;
  private final long extra;
  private final int rows;

  /**
   * @param fixed weights of each column that must be zero, in the order of the sweep
   * @throws IllegalArgumentException when more weights must be zero than the target allows
   */
  PruneBudget(int rows, int[] fixed, double sparsity) {
    this.rows = rows;
    fixedBefore = new long[fixed.length + 1];
    for (int j = 0; j < fixed.length; j++) {
      fixedBefore[j + 1] = fixedBefore[j] + fixed[j];
    }
    long all = (long) rows * fixed.length;
    long zeros = fixedBefore[fixed.length];
    free = all - zeros;
    extra = require(rows, fixed, sparsity) - zeros;
  }

  /**
   * Checks that a target leaves room for the weights that must be zero.
   *
   * @param length elements of each run
   * @param fixed weights of each run that must be zero
   * @return the target
   */
  static long require(int length, int[] fixed, double sparsity) {
    long all = (long) length * fixed.length;
    long zeros = IntStream.of(fixed).asLongStream().sum();
    long target = Sparsity.count(sparsity, all);
    if (zeros > target) {
      throw new IllegalArgumentException(
          zeros
              + " of "
              + all
              + " weights are zero already, and a sparsity of "
              + sparsity
              + " allows "
              + target
              + "; raise it, or do not preserve the mask");
    }
    return target;
  }

  /** Zeros of some columns, those that must be included. */
  long count(int begin, int end) {
    return fixedBefore[end] - fixedBefore[begin] + extra(end) - extra(begin);
  }

  private long extra(int columns) {
    long freeBefore = (long) rows * columns - fixedBefore[columns];
    if (free == 0) {
      return 0;
    }
    // The product of two counts of weights needs more than 64 bits from 3 billion weights on.
    BigInteger product = BigInteger.valueOf(extra).multiply(BigInteger.valueOf(freeBefore));
    return product.divide(BigInteger.valueOf(free)).longValueExact();
  }
}
