package dev.quern.pipeline.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.memory.Scratch;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Workers;
import dev.quern.engine.sparsity.Magnitude;
import dev.quern.engine.sparsity.MaskStructure;
import dev.quern.engine.sparsity.WeightMatrix;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.recipe.SparsityChoice;
import dev.quern.formats.safetensors.TensorSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The same bits as {@link Magnitude#prune}, whatever part of the matrix is read. */
class PrunedWeightTest {
  private static final int ROWS = 37;
  private static final int COLS = 48;

  @ParameterizedTest
  @CsvSource({
    "BF16, 2:4, 0", "F16, 4:8, 0", "F32, 1:3, 0",
    "BF16, 0:0, 0.5", "F16, 0:0, 0.33", "F32, 0:0, 0.75",
    "BF16, 0:0, 0", "BF16, 0:0, 1", "F32, 0:0, 0.001",
  })
  void prunesAsTheWholeMatrix(FloatType type, String structure, double sparsity) throws Exception {
    MaskStructure mask = MaskStructure.parse(structure);
    int compared = 0;
    // Few different magnitudes make many ties, many make none.
    for (int different : new int[] {1, 5, 1 << 20}) {
      try (Arena arena = Arena.ofShared();
          Workers workers = new Workers(2);
          Scratch scratch = new Scratch()) {
        Dense dense = new Dense(type, different, arena);
        WeightMatrix expected = new WeightMatrix(type, ROWS, COLS, arena.allocate(dense.bytes()));
        Magnitude.prune(
            Kernels.best(),
            workers,
            new WeightMatrix(type, ROWS, COLS, dense.data()),
            mask,
            sparsity,
            expected);
        PrunedWeight pruned = new PrunedWeight(dense, mask, sparsity);
        for (int begin = 0; begin < ROWS; begin += 5) {
          int rows = Math.min(5, ROWS - begin);
          long at = begin * pruned.rowBytes();
          MemorySegment read =
              pruned.read(Kernels.best(), at, rows * pruned.rowBytes(), arena, scratch);
          assertThat(read.mismatch(expected.data().asSlice(at, read.byteSize())))
              .as("rows from %d of %d magnitudes", begin, different)
              .isEqualTo(-1);
          compared += rows;
        }
      }
    }
    assertThat(compared).isEqualTo(3 * ROWS);
  }

  @Test
  void namesTheWeightThatIsNotFinite() {
    try (Arena arena = Arena.ofConfined();
        Scratch scratch = new Scratch()) {
      Dense dense = new Dense(FloatType.BF16, 9, arena);
      FloatType.BF16.store(dense.data(), (7L * COLS + 11) * 2, Float.NaN);
      for (MaskStructure mask : List.of(MaskStructure.TWO_OF_FOUR, MaskStructure.UNSTRUCTURED)) {
        PrunedWeight pruned = new PrunedWeight(dense, mask, 0.5);
        assertThatThrownBy(() -> pruned.read(Kernels.best(), 0, dense.bytes(), arena, scratch))
            .isInstanceOf(CheckpointException.class)
            .hasMessageContaining("a test [7, 11]: expected finite weights, found NaN");
      }
    }
  }

  @Test
  void isAWeightLikeAnyOther() {
    try (Arena arena = Arena.ofConfined()) {
      Dense dense = new Dense(FloatType.F32, 9, arena);
      SourceWeight pruned = new PrunedWeight(dense, MaskStructure.TWO_OF_FOUR, 0.5);
      assertThat(pruned.spec()).isEqualTo(dense.spec());
      assertThat(pruned.grain()).isEqualTo(4 * COLS);
      assertThat(pruned.memoryBytes(100)).isEqualTo(200);
      assertThat(SparsityChoice.of(SparsityChoice.Algorithm.MAGNITUDE, "2:4", 0.5).needsData())
          .isFalse();
    }
  }

  /** A matrix in memory. */
  private record Dense(FloatType type, int different, MemorySegment data) implements SourceWeight {
    Dense(FloatType type, int different, Arena arena) {
      this(type, different, arena.allocate((long) ROWS * COLS * type.bytes()));
      SplittableRandom random = new SplittableRandom(different);
      for (int i = 0; i < ROWS * COLS; i++) {
        float magnitude = (1 + random.nextInt(different)) / 64f;
        type.store(data, (long) i * type.bytes(), random.nextBoolean() ? magnitude : -magnitude);
      }
    }

    long bytes() {
      return data.byteSize();
    }

    @Override
    public TensorSpec spec() {
      return new TensorSpec("w", type.dtype(), List.of((long) ROWS, (long) COLS));
    }

    @Override
    public List<Part> parts() {
      return List.of();
    }

    @Override
    public String place() {
      return "a test";
    }

    @Override
    public Optional<String> encoding() {
      return Optional.empty();
    }

    @Override
    public long grain() {
      return 1;
    }

    @Override
    public long memoryBytes(long length) {
      return length;
    }

    @Override
    public MemorySegment read(
        Kernels kernels, long offset, long length, Arena arena, Scratch scratch) {
      return data.asSlice(offset, length);
    }
  }
}
