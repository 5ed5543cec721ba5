package dev.quern.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.testdata.TestData;
import org.junit.jupiter.api.Test;

class ExactTableTest {
  @Test
  void exactIsBestForEveryMatrixOfAModel() throws Exception {
    ExactTable.Errors errors = ExactTable.ofModel(TestData.path("models/tinystories-656k"));
    assertThat(errors.matrices()).isGreaterThanOrEqualTo(14);
    assertThat(errors.notLarger()).isEqualTo(errors.matrices());
    assertThat(errors.exact()).isLessThan(errors.expanded());
  }
}
