package dev.quern.engine.quantization.observer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.kernel.CandidateFormat;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.Patience;
import dev.quern.engine.kernel.RangeSearch;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.quantization.ScaleGrid;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MseObserverTest {
  private static final int ROWS = 12;
  private static final int COLS = 200;

  @ParameterizedTest
  @CsvSource({"1, 200", "1, 32", "1, 128", "4, 64", "5, 300", "12, 200"})
  void stripsGiveWhatTheWholeGives(int blockRows, int blockCols) {
    ScaleGrid grid = ScaleGrid.block(ROWS, COLS, blockRows, blockCols);
    RangeSearch search =
        ObserverSettings.of("mse").search(FloatType.BF16, CandidateFormat.integer(4, false));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment weights = weights(arena);
      boolean[] whole = new boolean[search.steps()];
      mark(search, weights, grid, whole);
      boolean[] pieces = new boolean[search.steps()];
      float[] min = new float[grid.gridCols()];
      float[] max = new float[grid.gridCols()];
      float[] stripMin = new float[grid.gridCols()];
      float[] stripMax = new float[grid.gridCols()];
      MseObserver observer = new MseObserver(search, Patience.steps(whole, 5));
      for (int g = 0; g < grid.gridRows(); g++) {
        int rows = grid.rowEnd(g) - grid.rowBegin(g);
        MemorySegment strip = weights.asSlice(grid.rowBegin(g) * COLS * 2L, rows * COLS * 2L);
        mark(search, strip, grid.strip(rows), pieces);
        observer.gridRow(Kernels.best(), FloatType.BF16, weights, grid, g, min, max);
        observer.gridRow(
            Kernels.best(), FloatType.BF16, strip, grid.strip(rows), 0, stripMin, stripMax);
        assertThat(stripMin).isEqualTo(min);
        assertThat(stripMax).isEqualTo(max);
      }
      assertThat(Patience.steps(pieces, 5)).isEqualTo(Patience.steps(whole, 5));
    }
  }

  private static void mark(
      RangeSearch search, MemorySegment weights, ScaleGrid grid, boolean[] improved) {
    MseObserver.markImprovements(Kernels.best(), search, weights, grid, 5, improved);
  }

  @Test
  void nothingIsLookedAtOnceTheEndIsCertain() {
    boolean[] improved = new boolean[20];
    Arrays.fill(improved, true);
    improved[3] = false;
    RangeSearch search = ObserverSettings.of("mse").search(FloatType.BF16, CandidateFormat.E4M3);
    ScaleGrid grid = ScaleGrid.channel(ROWS, COLS);
    MseObserver.markImprovements(Kernels.best(), search, MemorySegment.NULL, grid, 5, improved);
    assertThat(improved[3]).isFalse();
  }

  @Test
  void patience() {
    boolean[] improved = {true, false, false, true, false, false, false, true};
    assertThat(Patience.steps(improved, 0)).isEqualTo(2);
    assertThat(Patience.steps(improved, 1)).isEqualTo(2);
    assertThat(Patience.steps(improved, 2)).isEqualTo(3);
    assertThat(Patience.steps(improved, 3)).isEqualTo(7);
    assertThat(Patience.steps(improved, 4)).isEqualTo(8);
    assertThat(Patience.isCertain(improved, 4)).isTrue();
    assertThat(Patience.isCertain(improved, 3)).isFalse();
    assertThat(Patience.steps(new boolean[0], 5)).isZero();
  }

  @Test
  void aWeightThatIsNotFiniteShowsInTheRange() {
    RangeSearch search = ObserverSettings.of("mse").search(FloatType.BF16, CandidateFormat.E4M3);
    ScaleGrid grid = ScaleGrid.channel(ROWS, COLS);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment weights = weights(arena);
      FloatType.BF16.store(weights, 6, Float.NaN);
      FloatType.BF16.store(weights, COLS * 2L, Float.NEGATIVE_INFINITY);
      float[] min = new float[1];
      float[] max = new float[1];
      MseObserver observer = new MseObserver(search, 20);
      observer.gridRow(Kernels.best(), FloatType.BF16, weights, grid, 0, min, max);
      assertThat(Float.isFinite(min[0]) && Float.isFinite(max[0])).isFalse();
      observer.gridRow(Kernels.best(), FloatType.BF16, weights, grid, 1, min, max);
      assertThat(min[0]).isInfinite();
      observer.gridRow(Kernels.best(), FloatType.BF16, weights, grid, 2, min, max);
      assertThat(min[0]).isFinite();
    }
  }

  private static MemorySegment weights(Arena arena) {
    MemorySegment weights = arena.allocate(ROWS * COLS * 2L, 64);
    SplittableRandom random = new SplittableRandom(7);
    for (int i = 0; i < ROWS * COLS; i++) {
      FloatType.BF16.store(weights, 2L * i, (float) random.nextGaussian());
    }
    return weights;
  }
}
