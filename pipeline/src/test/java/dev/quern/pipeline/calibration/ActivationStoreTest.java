package dev.quern.pipeline.calibration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.memory.MemoryBudget;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ActivationStoreTest {
  private static final int HIDDEN = 48;
  private static final int[] TOKENS = {7, 1, 0, 30, 12, 5, 64};
  private static final long ALL = 4L * HIDDEN * 119;

  @TempDir Path temp;

  /** None, one, some, all but one, all: what comes back is the same. */
  @ParameterizedTest
  @ValueSource(longs = {0, 4L * HIDDEN, 4L * HIDDEN * 20, ALL - 1, ALL, 10 * ALL})
  void givesBackWhatWasWritten(long most) throws IOException {
    MemoryBudget budget = new MemoryBudget(ALL);
    try (ActivationStore store = store(budget, most);
        Arena arena = Arena.ofConfined()) {
      assertThat(store.memoryBytes() + store.spilledBytes()).isEqualTo(ALL);
      assertThat(store.memoryBytes()).isLessThanOrEqualTo(most);
      assertThat(store.spilledBytes() == 0).isEqualTo(most >= ALL);
      int compared = 0;
      for (int generation = 0; generation < 3; generation++) {
        for (int i = TOKENS.length - 1; i >= 0; i--) {
          store.write(i, random(arena, generation, i, generation % 2 == 0));
        }
        for (int i = 0; i < TOKENS.length; i++) {
          FloatMatrix read = matrix(arena, TOKENS[i], generation == 2);
          store.read(i, read);
          compared += compare(read, random(arena, generation, i, false));
        }
      }
      assertThat(compared).isEqualTo(3 * 119 * HIDDEN);
      assertThat(budget.peak()).isEqualTo(store.memoryBytes());
    }
    assertThat(names()).isEmpty();
  }

  @Test
  void isZeroBeforeTheFirstWrite() throws IOException {
    try (ActivationStore store = store(new MemoryBudget(ALL), ALL / 2);
        Arena arena = Arena.ofConfined()) {
      for (int i = 0; i < TOKENS.length; i++) {
        FloatMatrix read = random(arena, 1, i, true);
        store.read(i, read);
        compare(read, matrix(arena, TOKENS[i], false));
      }
    }
  }

  @Test
  void givesTheBudgetBack() throws IOException {
    MemoryBudget budget = new MemoryBudget(ALL);
    try (ActivationStore store = store(budget, ALL)) {
      assertThat(store.samples()).isEqualTo(TOKENS.length);
      assertThat(store.tokens(3)).isEqualTo(30);
      assertThat(store.hidden()).isEqualTo(HIDDEN);
    }
    budget.acquire(ALL).close();
  }

  @Test
  void refusesAnotherShape() throws IOException {
    try (ActivationStore store = store(new MemoryBudget(ALL), ALL);
        Arena arena = Arena.ofConfined()) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> store.read(0, FloatMatrix.allocate(arena, 6, HIDDEN)))
          .withMessage("sample 0 is [7, 48], and the matrix [6, 48]");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> store.write(1, FloatMatrix.allocate(arena, 1, HIDDEN + 1)));
    }
  }

  @Test
  void doesNotTakeAFileThatIsThere() throws IOException {
    Path file = Files.writeString(temp.resolve("activations"), "somebody's");
    MemoryBudget budget = new MemoryBudget(ALL);
    assertThatIOException()
        .isThrownBy(() -> store(budget, 0))
        .isInstanceOf(FileAlreadyExistsException.class);
    assertThat(file).hasContent("somebody's");
    budget.acquire(ALL).close();
  }

  @Test
  void refusesADiskThatIsTooSmallAtOnce() {
    int[] huge = new int[20];
    Arrays.fill(huge, Integer.MAX_VALUE);
    assertThatIOException()
        .isThrownBy(
            () ->
                ActivationStore.create(
                    new MemoryBudget(1), 1, temp.resolve("activations"), 1 << 24, huge))
        .withMessageMatching(
            "(?s).*activations: cannot hold the activations .*\\(\\d+ bytes are needed, and the"
                + " disk has \\d+ free\\); make room.*");
    assertThat(names()).isEmpty();
  }

  /** A process of its own whose files may not grow: the same as a disk that fills up meanwhile. */
  @Test
  void saysThatTheDiskIsFull() throws Exception {
    Path bash = Path.of("/bin/bash");
    assumeTrue(Files.isExecutable(bash));
    List<String> command = new ArrayList<>();
    command.addAll(List.of(bash.toString(), "-c", "ulimit -f 64; exec \"$@\"", "-"));
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:-UsePerfData", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Spiller.class.getName()));
    command.add(temp.resolve("activations").toString());
    Process process = new ProcessBuilder(command).start();
    String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isEqualTo(1);
    assertThat(err)
        .contains("activations: cannot hold the activations of the calibration samples")
        .contains("File too large")
        .contains("give more memory");
    assertThat(names()).isEmpty();
  }

  /** Needs 100 kB of disk. */
  static final class Spiller {
    private Spiller() {}

    public static void main(String[] args) throws IOException {
      ActivationStore.create(new MemoryBudget(1), 1, Path.of(args[0]), 100, new int[] {250})
          .close();
    }
  }

  private ActivationStore store(MemoryBudget budget, long most) throws IOException {
    return ActivationStore.create(budget, most, temp.resolve("activations"), HIDDEN, TOKENS);
  }

  private List<String> names() {
    try (Stream<Path> files = Files.list(temp)) {
      return files.map(file -> file.getFileName().toString()).toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Rows that follow each other, or lie apart. */
  private static FloatMatrix matrix(Arena arena, int rows, boolean apart) {
    FloatMatrix wide = FloatMatrix.allocate(arena, rows, HIDDEN + (apart ? 17 : 0));
    return apart ? wide.view(0, 0, rows, HIDDEN) : FloatMatrix.of(wide.data(), rows, HIDDEN);
  }

  private static FloatMatrix random(Arena arena, int generation, int sample, boolean apart) {
    SplittableRandom random = new SplittableRandom(1000L * generation + sample);
    FloatMatrix matrix = matrix(arena, TOKENS[sample], apart);
    for (int row = 0; row < matrix.rows(); row++) {
      for (int column = 0; column < HIDDEN; column++) {
        matrix.set(row, column, (float) random.nextGaussian());
      }
    }
    return matrix;
  }

  private static int compare(FloatMatrix found, FloatMatrix expected) {
    for (int row = 0; row < expected.rows(); row++) {
      for (int column = 0; column < HIDDEN; column++) {
        assertThat(found.get(row, column)).isEqualTo(expected.get(row, column));
      }
    }
    return expected.rows() * HIDDEN;
  }
}
