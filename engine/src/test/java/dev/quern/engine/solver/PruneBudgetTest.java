package dev.quern.engine.solver;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PruneBudgetTest {
  /** Counts whose product has more than 63 bits: 2^22 rows, 2^12 columns, and others. */
  @Test
  void sharesOfEnormousMatricesAreExact() {
    int columns = 4096;
    for (int rows : new int[] {1 << 20, 1 << 22, Integer.MAX_VALUE}) {
      PruneBudget budget = new PruneBudget(rows, new int[columns], 0.5);
      long total = 0;
      for (int begin = 0; begin < columns; begin += 128) {
        long count = budget.count(begin, begin + 128);
        assertThat(count).isEqualTo(64L * rows);
        total += count;
      }
      assertThat(total).isEqualTo((long) rows * columns / 2);
    }
  }

  /** Zeros that must stay are counted where they are; the rest of the target is shared out. */
  @Test
  void fixedZerosAreIncluded() {
    PruneBudget budget = new PruneBudget(10, new int[] {10, 0, 4, 0}, 0.5);
    assertThat(budget.count(0, 1)).isEqualTo(10);
    assertThat(budget.count(2, 3)).isGreaterThanOrEqualTo(4);
    assertThat(budget.count(0, 2) + budget.count(2, 4)).isEqualTo(20);
  }
}
