package dev.quern.engine.quantization;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScaleGridTest {
  @ParameterizedTest(name = "[{0}, {1}] in blocks of [{2}, {3}]: [{4}, {5}]")
  @CsvSource({
    "256, 512, 128, 128, 2, 4",
    "257, 511, 128, 128, 3, 4",
    "1, 1, 128, 128, 1, 1",
    "7, 5, 1, 5, 7, 1",
    "7, 5, 7, 5, 1, 1",
    "0, 5, 128, 128, 0, 1",
    "5, 0, 128, 128, 1, 0",
    "0, 0, 1, 1, 0, 0",
  })
  void countsBlocks(int rows, int cols, int blockRows, int blockCols, int gridRows, int gridCols) {
    ScaleGrid grid = ScaleGrid.block(rows, cols, blockRows, blockCols);
    assertThat(grid.gridRows()).isEqualTo(gridRows);
    assertThat(grid.gridCols()).isEqualTo(gridCols);
  }

  @Test
  void everyElementLiesInExactlyOneBlock() {
    int checked = 0;
    for (int size = 1; size <= 70; size++) {
      for (int block = 1; block <= 75; block++) {
        ScaleGrid rows = ScaleGrid.block(size, 1, block, 1);
        ScaleGrid cols = ScaleGrid.block(1, size, 1, block);
        int next = 0;
        for (int g = 0; g < rows.gridRows(); g++) {
          assertThat(rows.rowBegin(g)).isEqualTo(next).isEqualTo(cols.colBegin(g));
          assertThat(rows.rowEnd(g)).isGreaterThan(next).isEqualTo(cols.colEnd(g));
          next = rows.rowEnd(g);
        }
        assertThat(next).isEqualTo(size);
        assertThat(cols.gridCols()).isEqualTo(rows.gridRows());
        checked++;
      }
    }
    assertThat(checked).isEqualTo(70 * 75);
  }

  @Test
  void strategiesAreGrids() {
    assertThat(ScaleGrid.tensor(7, 5)).isEqualTo(new ScaleGrid(7, 5, 7, 5));
    assertThat(ScaleGrid.channel(7, 5)).isEqualTo(new ScaleGrid(7, 5, 1, 5));
    assertThat(ScaleGrid.tensor(0, 0)).isEqualTo(new ScaleGrid(0, 0, 1, 1));
    assertThat(ScaleGrid.channel(3, 0)).isEqualTo(new ScaleGrid(3, 0, 1, 1));
    assertThat(ScaleGrid.block(7, 5, 2, 3).strip(4)).isEqualTo(new ScaleGrid(4, 5, 2, 3));
  }

  /** The end of the last block, were it whole, does not fit an int. */
  @Test
  void theLargestMatrixHasALastBlock() {
    int largest = Integer.MAX_VALUE;
    ScaleGrid grid = ScaleGrid.block(largest, largest, 128, 128);
    int last = grid.gridRows() - 1;
    assertThat(grid.rowBegin(last)).isEqualTo(largest - 127);
    assertThat(grid.rowEnd(last)).isEqualTo(largest);
    assertThat(grid.colEnd(last)).isEqualTo(largest);
  }

  @ParameterizedTest
  @CsvSource({"-1, 1, 1, 1", "1, -1, 1, 1", "1, 1, 0, 1", "1, 1, 1, 0"})
  void refusesWhatIsNoGrid(int rows, int cols, int blockRows, int blockCols) {
    assertThatThrownBy(() -> new ScaleGrid(rows, cols, blockRows, blockCols))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("matrix [%d, %d] in blocks of [%d, %d]", rows, cols, blockRows, blockCols);
  }
}
