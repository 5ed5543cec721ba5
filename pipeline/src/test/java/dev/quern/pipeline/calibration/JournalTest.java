package dev.quern.pipeline.calibration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.memory.MemoryBudget;
import dev.quern.engine.numeric.DType;
import dev.quern.formats.safetensors.TensorSpec;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run of four layers that stops after some of them. */
class JournalTest {
  private static final int LAYERS = 4;
  private static final int[] TOKENS = {3, 5};
  private static final int HIDDEN = 8;
  private static final String MARK = "command, model, samples";

  /** One of each layer, one larger than any buffer. */
  private static final Map<String, TensorSpec> OUTPUTS =
      IntStream.range(0, LAYERS)
          .mapToObj(
              layer ->
                  new TensorSpec("t" + layer, DType.U8, List.of(layer == 1 ? 150_001L : layer)))
          .collect(Collectors.toMap(TensorSpec::name, Function.identity()));

  @TempDir Path temp;
  private Path folder;

  @BeforeEach
  void name() {
    folder = temp.resolve(".out.quern-journal");
  }

  @Test
  void goesOnWhereARunStopped() throws IOException {
    for (int stop = 0; stop <= LAYERS; stop++) {
      run(stop);
      Journal journal = open();
      assertThat(journal.finished()).isEqualTo(stop);
      assertThat(journal.note()).isEmpty();
      assertThat(replayed(journal)).isEqualTo(expected(stop));
      if (stop > 0 && stop < LAYERS) {
        assertThat(first(journal)).isEqualTo(stop);
      }
      Journal.remove(folder);
      assertThat(folder).doesNotExist();
    }
  }

  @Test
  void keepsTheLastStatesOnly() throws IOException {
    run(3);
    assertThat(names()).containsExactly("fingerprint", "layer-0", "layer-1", "layer-2", "states-3");
    run(LAYERS);
    assertThat(names()).doesNotContain("states-3", "states-4");
  }

  @Test
  void aRunThatStoppedAgainGoesOn() throws IOException {
    run(1);
    Journal journal = open();
    try (ActivationStore states = states(2)) {
      commit(journal, 1, states);
    }
    assertThat(open().finished()).isEqualTo(2);
    assertThat(replayed(open())).isEqualTo(expected(2));
  }

  /** Cut off or changed anywhere, a record is none, and the states after it are of no use. */
  @Test
  void recordsThatAreDamagedAreNotThere() throws IOException {
    run(3);
    byte[] whole = Files.readAllBytes(folder.resolve("layer-2"));
    int tried = 0;
    for (int at = 0; at < whole.length; at++) {
      byte[] changed = whole.clone();
      changed[at] ^= 1;
      Files.write(folder.resolve("layer-2"), changed);
      assertThat(LayerRecord.isSound(folder.resolve("layer-2"))).as("byte %d", at).isFalse();
      Files.write(folder.resolve("layer-2"), Arrays.copyOf(whole, at));
      assertThat(LayerRecord.isSound(folder.resolve("layer-2"))).as("cut at %d", at).isFalse();
      tried++;
    }
    assertThat(tried).isGreaterThan(30);
    Journal journal = open();
    assertThat(journal.finished()).as("states-2 is gone, too").isZero();
    assertThat(journal.note()).isEmpty();
    assertThat(folder).doesNotExist();
  }

  @Test
  void killedBetweenStatesAndRecord() throws IOException {
    run(2);
    try (ActivationStore states = states(3)) {
      states.save(folder.resolve("states-3"));
    }
    Files.write(folder.resolve("layer-2.tmp"), new byte[10]);
    Journal journal = open();
    assertThat(journal.finished()).isEqualTo(2);
    assertThat(first(journal)).isEqualTo(2);
  }

  @Test
  void anotherRunsJournalIsReplacedWithASentence() throws IOException {
    run(2);
    Journal journal = Journal.open(folder, "another", LAYERS);
    assertThat(journal.finished()).isZero();
    assertThat(journal.note().orElseThrow())
        .startsWith(folder.toString())
        .contains("other options, another model or other samples")
        .contains("not resumed");
    assertThat(folder).doesNotExist();
  }

  @Test
  void statesThatAreDamagedAreRefused() throws IOException {
    run(2);
    Path file = folder.resolve("states-2");
    byte[] bytes = Files.readAllBytes(file);
    assertThat(bytes).hasSize(4 * HIDDEN * 8 + 8);
    bytes[17] ^= 4;
    Files.write(file, bytes);
    Journal journal = open();
    assertThatIOException().isThrownBy(() -> first(journal)).withMessageContaining("is damaged");
    Files.write(file, new byte[9]);
    assertThatIOException().isThrownBy(() -> first(journal)).withMessageContaining("ends after");
  }

  /** In memory, in a file, or both: the states are the same. */
  @Test
  void statesDoNotDependOnMemory() throws IOException {
    run(1);
    for (long most : new long[] {0, 4L * HIDDEN * 5, 1000}) {
      try (ActivationStore states = store(most)) {
        open().restore(states);
        Path again = temp.resolve("again");
        states.save(again);
        assertThat(again).hasSameBinaryContentAs(folder.resolve("states-1"));
      }
    }
  }

  @Test
  void tensorsThatThePlanDoesNotHaveAreRefused() throws IOException {
    run(2);
    Map<String, TensorSpec> other = Map.of("t0", OUTPUTS.get("t0"));
    assertThatIOException()
        .isThrownBy(() -> open().replay(other, (_, _) -> {}, (_, _) -> {}))
        .withMessageContaining("t1 of 150001 bytes is not among the outputs");
  }

  @Test
  void aRunWithoutAFinishedLayerLeavesNothing() throws IOException {
    try (Journal journal = open()) {
      journal.begin(0).close();
      assertThat(names()).containsExactly("fingerprint", "layer-0.tmp");
    }
    assertThat(folder).doesNotExist();
    run(1);
    try (Journal journal = open()) {
      assertThat(journal.committed()).isEqualTo(1);
    }
    assertThat(open().finished()).isEqualTo(1);
  }

  @Test
  void keepsNothingWhenItIsToldSo() throws IOException {
    try (Journal journal = Journal.none("no room")) {
      try (ActivationStore states = states(1)) {
        commit(journal, 0, states);
      }
      assertThat(journal.note()).contains("no room");
      assertThat(journal.committed()).isZero();
    }
    assertThat(folder).doesNotExist();
  }

  private Journal open() throws IOException {
    return Journal.open(folder, MARK, LAYERS);
  }

  private void run(int stop) throws IOException {
    Journal.remove(folder);
    Journal journal = open();
    for (int layer = 0; layer < stop; layer++) {
      try (ActivationStore states = states(layer + 1)) {
        commit(journal, layer, states);
      }
    }
  }

  private static void commit(Journal journal, int layer, ActivationStore states)
      throws IOException {
    try (LayerRecord record = journal.begin(layer);
        Arena arena = Arena.ofConfined()) {
      record.add(OUTPUTS.get("t" + layer), bytes(arena, layer));
      record.add("warning", "layer " + layer);
      journal.commit(layer, record, layer + 1 < LAYERS ? Optional.of(states) : Optional.empty());
    }
  }

  private static MemorySegment bytes(Arena arena, int layer) {
    MemorySegment bytes = arena.allocate(OUTPUTS.get("t" + layer).bytes());
    SplittableRandom random = new SplittableRandom(layer);
    for (long i = 0; i < bytes.byteSize(); i++) {
      bytes.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt());
    }
    return bytes;
  }

  private static List<String> expected(int layers) {
    List<String> lines = new ArrayList<>();
    try (Arena arena = Arena.ofConfined()) {
      for (int layer = 0; layer < layers; layer++) {
        lines.add("t" + layer + " " + sum(bytes(arena, layer)));
        lines.add("warning layer " + layer);
      }
    }
    return lines;
  }

  private static List<String> replayed(Journal journal) throws IOException {
    List<String> lines = new ArrayList<>();
    journal.replay(
        OUTPUTS,
        (tensor, bytes) -> lines.add(tensor.name() + " " + sum(bytes)),
        (key, text) -> lines.add(key + " " + text));
    return lines;
  }

  private static int sum(MemorySegment bytes) {
    return Arrays.hashCode(bytes.toArray(ValueLayout.JAVA_BYTE));
  }

  private ActivationStore store(long most) throws IOException {
    return ActivationStore.create(
        new MemoryBudget(1000), most, temp.resolve("spill"), HIDDEN, TOKENS);
  }

  /** All values are the number. */
  private ActivationStore states(int number) throws IOException {
    ActivationStore states = store(100);
    try (Arena arena = Arena.ofConfined()) {
      for (int i = 0; i < TOKENS.length; i++) {
        FloatMatrix x = FloatMatrix.allocate(arena, TOKENS[i], HIDDEN);
        for (int row = 0; row < TOKENS[i]; row++) {
          for (int column = 0; column < HIDDEN; column++) {
            x.set(row, column, number);
          }
        }
        states.write(i, x);
      }
    }
    return states;
  }

  private float first(Journal journal) throws IOException {
    try (ActivationStore states = store(100);
        Arena arena = Arena.ofConfined()) {
      journal.restore(states);
      FloatMatrix x = FloatMatrix.allocate(arena, TOKENS[1], HIDDEN);
      states.read(1, x);
      return x.get(TOKENS[1] - 1, HIDDEN - 1);
    }
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }
}
