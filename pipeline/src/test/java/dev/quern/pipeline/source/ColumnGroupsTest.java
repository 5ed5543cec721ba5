package dev.quern.pipeline.source;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ColumnGroupsTest {
  @Test
  void neighboursShareAGroup() {
    ColumnGroups groups = ColumnGroups.ofSize(300, 128);
    assertThat(groups.count()).isEqualTo(3);
    assertThat(groups.groupOf())
        .containsExactly(IntStream.range(0, 300).map(column -> column / 128).toArray());
  }

  /** A model has thousands of matrices, and few widths. */
  @Test
  void matricesOfOneWidthShareOneTable() {
    int[] first = ColumnGroups.ofSize(1000, 32).groupOf();
    assertThat(ColumnGroups.ofSize(1000, 32).groupOf()).isSameAs(first);
    assertThat(ColumnGroups.ofSize(1000, 16).groupOf()).isNotSameAs(first);
    assertThat(ColumnGroups.ofSize(999, 32).groupOf()).isNotSameAs(first).hasSize(999);
  }
}
