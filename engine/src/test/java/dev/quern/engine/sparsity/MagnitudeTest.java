package dev.quern.engine.sparsity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Comparator;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Magnitude pruning against a sort, which says the same at length. */
@Tag("twin")
class MagnitudeTest {
  private static final int ROWS = 61;
  private static final int COLUMNS = 240;

  /** The weights that go are the first of a stable sort, and the rest keep their bits. */
  @ParameterizedTest
  @EnumSource
  void anUnstructuredTargetIsMetExactly(FloatType type) throws Exception {
    int targets = 0;
    try (Arena arena = Arena.ofShared()) {
      float[] weights = Pruned.weights(ROWS * COLUMNS, new SplittableRandom(5));
      WeightMatrix source = Pruned.matrix(arena, type, ROWS, COLUMNS, weights);
      for (double sparsity : new double[] {0, 1e-4, 0.05, 0.06, 0.2, 0.3, 0.5, 0.7, 0.999, 1}) {
        Pruned pruned = Pruned.magnitude(source, MaskStructure.UNSTRUCTURED, sparsity, 2, arena);
        boolean[] gone = new boolean[weights.length];
        IntStream.range(0, weights.length)
            .boxed()
            .sorted(Comparator.comparing(i -> pruned.sourceBits(i) & type.signlessMask()))
            .limit((long) (weights.length * sparsity))
            .forEach(i -> gone[i] = true);
        for (int i = 0; i < gone.length; i++) {
          assertThat(pruned.bits(i)).isEqualTo(gone[i] ? 0 : pruned.sourceBits(i));
        }
        targets++;
      }
    }
    assertThat(targets).isEqualTo(10);
  }

  /** Many strips, and more equal weights than may go: the strip in which they run out. */
  @ParameterizedTest
  @EnumSource
  void tiesRunOutInTheRightPlace(FloatType type) throws Exception {
    int rows = 700;
    int columns = 1024;
    try (Arena arena = Arena.ofShared()) {
      float[] weights = new float[rows * columns];
      for (int i = 0; i < weights.length; i++) {
        weights[i] = i % 3 == 0 ? 2f : i % 2 == 0 ? 1f : -1f;
      }
      WeightMatrix source = Pruned.matrix(arena, type, rows, columns, weights);
      assertThat(source.strips()).isEqualTo(3);
      int checked = 0;
      for (double sparsity : new double[] {0.1, 0.3, 0.45, 0.6}) {
        Pruned pruned = Pruned.magnitude(source, MaskStructure.UNSTRUCTURED, sparsity, 2, arena);
        long left = (long) (weights.length * sparsity);
        for (int i = 0; i < weights.length; i++) {
          boolean gone = Math.abs(weights[i]) == 1 && left-- > 0;
          if (pruned.value(i) != (gone ? 0 : weights[i])) {
            throw new AssertionError(sparsity + ": weight " + i + " is " + pruned.value(i));
          }
          checked++;
        }
      }
      assertThat(checked).isEqualTo(4 * weights.length);
    }
  }

  @ParameterizedTest
  @CsvSource({"2:4", "4:8", "1:4", "3:4", "7:8", "3:5", "8:16"})
  void groupsLoseTheirSmallest(String structure) throws Exception {
    MaskStructure mask = MaskStructure.parse(structure);
    try (Arena arena = Arena.ofShared()) {
      for (FloatType type : FloatType.values()) {
        float[] weights = Pruned.weights(ROWS * COLUMNS, new SplittableRandom(6));
        WeightMatrix source = Pruned.matrix(arena, type, ROWS, COLUMNS, weights);
        Pruned pruned = Pruned.magnitude(source, mask, 0.5, 2, arena);
        int groups = 0;
        for (int begin = 0; begin < weights.length; begin += mask.groupSize()) {
          int first = begin;
          boolean[] gone = new boolean[mask.groupSize()];
          IntStream.range(0, gone.length)
              .boxed()
              .sorted(Comparator.comparing(i -> Math.abs(pruned.sourceValue(first + i))))
              .limit(mask.pruned())
              .forEach(i -> gone[i] = true);
          for (int i = 0; i < gone.length; i++) {
            int expected = gone[i] ? 0 : pruned.sourceBits(begin + i);
            assertThat(pruned.bits(begin + i)).isEqualTo(expected);
          }
          groups++;
        }
        assertThat(groups).isEqualTo(ROWS * COLUMNS / mask.groupSize());
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"0:0, 0.37", "2:4, 0.5"})
  void threadsChangeNothing(String structure, double sparsity) throws Exception {
    int rows = 900;
    int columns = 1000;
    try (Arena arena = Arena.ofShared()) {
      float[] weights = Pruned.weights(rows * columns, new SplittableRandom(7));
      WeightMatrix source = Pruned.matrix(arena, FloatType.BF16, rows, columns, weights);
      MaskStructure mask = MaskStructure.parse(structure);
      MemorySegment one = Pruned.magnitude(source, mask, sparsity, 1, arena).target.data();
      for (int threads : new int[] {2, 7}) {
        MemorySegment more = Pruned.magnitude(source, mask, sparsity, threads, arena).target.data();
        assertThat(more.mismatch(one)).isEqualTo(-1);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"0:0, NaN", "0:0, Infinity", "2:4, NaN", "2:4, -Infinity"})
  void refusesWhatIsNotFinite(String structure, float value) {
    try (Arena arena = Arena.ofShared()) {
      float[] weights = new float[8 * 12];
      weights[12 * 3 + 5] = value;
      WeightMatrix source = Pruned.matrix(arena, FloatType.BF16, 8, 12, weights);
      assertThatThrownBy(
              () -> Pruned.magnitude(source, MaskStructure.parse(structure), 0.5, 2, arena))
          .isInstanceOf(ArithmeticException.class)
          .hasMessage("weight [3, 5] is " + value + "; only finite weights are pruned");
    }
  }

  @Test
  void refusesWhatDoesNotFit() {
    try (Arena arena = Arena.ofShared();
        Workers workers = new Workers(1)) {
      WeightMatrix source = Pruned.matrix(arena, FloatType.BF16, 2, 6, new float[12]);
      WeightMatrix other = Pruned.matrix(arena, FloatType.BF16, 3, 4, new float[12]);
      assertThatThrownBy(() -> Pruned.magnitude(source, MaskStructure.TWO_OF_FOUR, 0, 1, arena))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "6 columns cannot be pruned 2:4: the last group has 2 of 4 columns; prune this"
                  + " matrix 0:0, or ignore it");
      assertThatThrownBy(() -> Pruned.magnitude(source, MaskStructure.UNSTRUCTURED, 1.1, 1, arena))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("sparsity 1.1: expected the share of zeros, from 0 to 1, like 0.5");
      assertThatThrownBy(
              () ->
                  Magnitude.prune(
                      Kernels.best(), workers, source, MaskStructure.UNSTRUCTURED, 0.5, other))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("the result is BF16 [3, 4]; expected BF16 [2, 6], as the source");
      assertThatThrownBy(() -> new WeightMatrix(FloatType.F32, 2, 6, source.data()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("F32 weights [2, 6] take 48 bytes; found 24");
    }
  }

  @Test
  void aCallerThatIsInterruptedIsTold() {
    try (Arena arena = Arena.ofShared()) {
      WeightMatrix source = Pruned.matrix(arena, FloatType.BF16, 2, 8, new float[16]);
      Thread.currentThread().interrupt();
      assertThatThrownBy(() -> Pruned.magnitude(source, MaskStructure.TWO_OF_FOUR, 0, 1, arena))
          .isInstanceOf(InterruptedException.class);
    }
  }
}
