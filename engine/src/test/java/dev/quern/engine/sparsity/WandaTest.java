package dev.quern.engine.sparsity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Golden;
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

/** Wanda against the reference's results, and against a sort. */
@Tag("twin")
class WandaTest {
  private static final int ROWS = 96;
  private static final int COLUMNS = 384;

  /** No scores tie in these, so that every weight has to be the reference's. */
  @ParameterizedTest
  @CsvSource({"0:0, 0.5", "0:0, 0.75", "2:4, 0.5"})
  void equalsTheReference(String structure, double sparsity) throws Exception {
    Golden golden = Golden.read("golden/solvers.safetensors");
    float[] expected = golden.floats("wanda.%s.%s".formatted(structure, sparsity));
    try (Arena arena = Arena.ofShared()) {
      WeightMatrix source = Pruned.matrix(arena, FloatType.F32, ROWS, COLUMNS, golden.floats("W"));
      Pruned pruned =
          Pruned.wanda(
              source,
              golden.floats("wanda.row_scalars"),
              MaskStructure.parse(structure),
              sparsity,
              2,
              arena);
      int differ = 0;
      for (int i = 0; i < expected.length; i++) {
        differ += pruned.value(i) == expected[i] ? 0 : 1;
      }
      assertThat(expected).hasSize(ROWS * COLUMNS);
      assertThat(differ).isZero();
    }
  }

  /** Each row loses the same number of weights, the first of a stable sort by score. */
  @ParameterizedTest
  @CsvSource({"BF16", "F16", "F32"})
  void aRowLosesItsTarget(FloatType type) throws Exception {
    int rows = 37;
    int columns = 203;
    SplittableRandom random = new SplittableRandom(8);
    float[] weights = Pruned.weights(rows * columns, random);
    float[] scalars = new float[columns];
    for (int col = 0; col < columns; col++) {
      scalars[col] = col % 50 == 0 ? 0f : col % 2 == 0 ? 4f : (float) random.nextDouble();
    }
    try (Arena arena = Arena.ofShared()) {
      WeightMatrix source = Pruned.matrix(arena, type, rows, columns, weights);
      int checked = 0;
      for (double sparsity : new double[] {0, 0.3, 0.5, 0.9, 1}) {
        Pruned pruned =
            Pruned.wanda(source, scalars, MaskStructure.UNSTRUCTURED, sparsity, 2, arena);
        for (int row = 0; row < rows; row++) {
          int begin = row * columns;
          boolean[] gone = new boolean[columns];
          IntStream.range(0, columns)
              .boxed()
              .sorted(
                  Comparator.comparing(
                      col ->
                          Math.abs(pruned.sourceValue(begin + col))
                              * (float) Math.sqrt(scalars[col])))
              .limit((long) (columns * sparsity))
              .forEach(col -> gone[col] = true);
          for (int col = 0; col < columns; col++) {
            int expected = gone[col] ? 0 : pruned.sourceBits(begin + col);
            assertThat(pruned.bits(begin + col)).isEqualTo(expected);
            checked++;
          }
        }
      }
      assertThat(checked).isEqualTo(5 * rows * columns);
    }
  }

  @ParameterizedTest
  @CsvSource({"0:0, 0.37", "2:4, 0.5"})
  void threadsChangeNothing(String structure, double sparsity) throws Exception {
    int rows = 900;
    int columns = 1000;
    int tokens = 40;
    try (Arena arena = Arena.ofShared()) {
      SplittableRandom random = new SplittableRandom(9);
      WeightMatrix source =
          Pruned.matrix(
              arena, FloatType.BF16, rows, columns, Pruned.weights(rows * columns, random));
      MemorySegment inputs =
          Pruned.matrix(
                  arena, FloatType.F32, tokens, columns, Pruned.weights(tokens * columns, random))
              .data();
      MemorySegment one = null;
      for (int threads : new int[] {1, 2, 7}) {
        ActivationNorms norms = new ActivationNorms(columns);
        try (Workers workers = new Workers(threads)) {
          norms.add(workers, FloatType.F32, inputs, tokens, 2);
        }
        MaskStructure mask = MaskStructure.parse(structure);
        MemorySegment pruned =
            Pruned.wanda(source, norms.rowScalars(), mask, sparsity, threads, arena).target.data();
        one = one == null ? pruned : one;
        assertThat(pruned.mismatch(one)).isEqualTo(-1);
      }
    }
  }

  /** Sums of squares over tokens, divided by sequences: by hand. */
  @Test
  void rowScalarsAreMeanSquares() throws Exception {
    try (Arena arena = Arena.ofShared();
        Workers workers = new Workers(2)) {
      ActivationNorms norms = new ActivationNorms(3);
      float[] first = {1, 2, 0, 3, -2, 0};
      float[] second = {-2, 1, 0};
      MemorySegment data = Pruned.matrix(arena, FloatType.BF16, 2, 3, first).data();
      norms.add(workers, FloatType.BF16, data, 2, 1);
      data = Pruned.matrix(arena, FloatType.BF16, 1, 3, second).data();
      norms.add(workers, FloatType.BF16, data, 1, 3);
      assertThat(norms.rowScalars()).containsExactly(14f / 4, 9f / 4, 0f);
    }
  }

  @Test
  void batchesChangeNoBit() throws Exception {
    int columns = 300;
    int tokens = 97;
    SplittableRandom random = new SplittableRandom(12);
    float[] values = new float[tokens * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    try (Arena arena = Arena.ofShared();
        Workers workers = new Workers(2)) {
      MemorySegment data = Pruned.matrix(arena, FloatType.F32, tokens, columns, values).data();
      ActivationNorms whole = new ActivationNorms(columns);
      whole.add(workers, FloatType.F32, data, tokens, 1);
      ActivationNorms parts = new ActivationNorms(columns);
      for (int from = 0, n = 1; from < tokens; from += n, n = Math.min(2 * n, tokens - from)) {
        MemorySegment part = data.asSlice(4L * from * columns, 4L * n * columns);
        parts.add(workers, FloatType.F32, part, n, from == 0 ? 1 : 0);
      }
      assertThat(parts.rowScalars()).containsExactly(whole.rowScalars());
    }
  }

  @Test
  void refusesBadNorms() {
    try (Arena arena = Arena.ofShared();
        Workers workers = new Workers(1)) {
      WeightMatrix source = Pruned.matrix(arena, FloatType.F32, 2, 4, new float[8]);
      assertThatThrownBy(() -> wanda(source, new float[3], arena))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("3 input channels were measured; the weights have 4");
      assertThatThrownBy(() -> wanda(source, new float[] {1, Float.NaN, 1, 1}, arena))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "mean square of input channel 1 is NaN; expected a finite number that is not"
                  + " negative");
      assertThatThrownBy(() -> wanda(source, new float[4], arena))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("all input channels are zero, so all weights score the same");
      ActivationNorms norms = new ActivationNorms(4);
      assertThatThrownBy(norms::rowScalars)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageStartingWith("no calibration data reached this layer");
      float[] inputs = {0, 1, 2, 3, 4, 5, Float.NEGATIVE_INFINITY, 7};
      MemorySegment data = Pruned.matrix(arena, FloatType.F32, 2, 4, inputs).data();
      assertThatThrownBy(() -> norms.add(workers, FloatType.F32, data, 2, 1))
          .isInstanceOf(ArithmeticException.class)
          .hasMessage("activation [1, 2] is -Infinity; expected finite inputs");
      assertThatThrownBy(() -> norms.add(workers, FloatType.F32, data, 3, 1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("F32 activations [3, 4] take 48 bytes; found 32");
    }
  }

  private static void wanda(WeightMatrix source, float[] scalars, Arena arena) throws Exception {
    Pruned.wanda(source, scalars, MaskStructure.UNSTRUCTURED, 0.5, 1, arena);
  }
}
