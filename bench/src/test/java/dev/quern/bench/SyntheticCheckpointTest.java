package dev.quern.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.engine.numeric.DType;
import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.huggingface.SourceTensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SyntheticCheckpointTest {
  private static final SyntheticModel TINY = SyntheticModel.ofSize(1_000_000, 128, 352, 512);

  @TempDir Path folder;

  @Test
  void opensAsCheckpoint() throws Exception {
    Path model = folder.resolve("model");
    SyntheticCheckpoint.write(TINY, 2, model);

    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(model)) {
      assertThat(checkpoint.files()).hasSize(2);
      assertThat(checkpoint.tensors()).hasSize(3 + 9 * TINY.layers());
      assertThat(checkpoint.totalBytes()).isEqualTo(TINY.bytes());
      assertThat(checkpoint.config().integer("num_hidden_layers")).contains((long) TINY.layers());
      SourceTensor up = checkpoint.find("model.layers.1.mlp.up_proj.weight").orElseThrow();
      assertThat(up.info().dtype()).isEqualTo(DType.BF16);
      assertThat(up.info().shape()).containsExactly(352L, 128L);
    }
  }

  @Test
  void oneShardNeedsNoIndex() throws Exception {
    Path model = folder.resolve("model");
    SyntheticCheckpoint.write(TINY, 1, model);

    assertThat(contents(model)).containsOnlyKeys("config.json", "model.safetensors");
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(model)) {
      assertThat(checkpoint.totalBytes()).isEqualTo(TINY.bytes());
    }
  }

  @Test
  void sameOptionsGiveSameBytes() throws Exception {
    SyntheticCheckpoint.write(TINY, 2, folder.resolve("a"));
    SyntheticCheckpoint.write(TINY, 2, folder.resolve("b"));

    Map<String, String> first = contents(folder.resolve("a"));
    assertThat(first).hasSize(4);
    // Not an assertion on maps, which would print megabytes.
    assertThat(first.equals(contents(folder.resolve("b")))).isTrue();
  }

  @Test
  void weightsAreNormalAndDifferInEveryPiece() {
    SyntheticWeights weights = new SyntheticWeights();
    Set<Long> beginnings = new HashSet<>();
    for (int tensor = 0; tensor < 50; tensor++) {
      short[] values = weights.values(tensor, false);
      for (int piece = 0; piece < 3; piece++) {
        short[] elements = new short[4096];
        MemorySegment segment = MemorySegment.ofArray(elements);
        SyntheticWeights.fill(values, tensor, piece, segment);
        beginnings.add(segment.get(ValueLayout.JAVA_LONG_UNALIGNED, 0));
        double sum = 0;
        double squares = 0;
        for (short element : elements) {
          double x = FloatType.BF16.decode(element);
          sum += x;
          squares += x * x;
        }
        double deviation = Math.sqrt(squares / elements.length);
        assertThat(deviation).isBetween(0.009, 0.042);
        assertThat(Math.abs(sum / elements.length)).isLessThan(5 * deviation / 64);
      }
    }
    assertThat(beginnings).hasSize(150);
  }

  @Test
  void sizeDecidesLayers() {
    SyntheticModel two = SyntheticModel.ofSize(2_000_000_000, 2048, 5632, 32_000);
    SyntheticModel four = SyntheticModel.ofSize(4_000_000_000L, 2048, 5632, 32_000);

    assertThat(two.layers()).isEqualTo(20);
    assertThat(two.bytes()).isBetween(1_950_000_000L, 2_050_000_000L);
    assertThat(four.bytes()).isBetween(3_950_000_000L, 4_050_000_000L);
    assertThat(two.shards(2).shards()).hasSize(2);
    assertThat(SyntheticModel.ofSize(1, 2048, 5632, 32_000).layers()).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({"2g, 2000000000", "3M, 3000000", "7k, 7000", "123, 123"})
  void sizesHaveUnits(String text, long bytes) {
    assertThat(SyntheticCheckpoint.size(text)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @CsvSource({"g", "2t", "-1", "1.5g", "''"})
  void refusesOtherSizes(String text) {
    assertThatThrownBy(() -> SyntheticCheckpoint.size(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expected a whole number with k, m or g behind it");
  }

  @Test
  void refusesFolderWithFiles() throws IOException {
    Files.writeString(folder.resolve("mine"), "keep");

    assertThatThrownBy(() -> SyntheticCheckpoint.write(TINY, 1, folder))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("expected an empty folder");
    assertThat(contents(folder)).containsOnlyKeys("mine");
  }

  @Test
  void refusesMoreShardsThanTensors() {
    assertThatThrownBy(() -> TINY.shards(1000))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("cannot be put into 1000 shards");
  }

  @Test
  void refusesWidthsThatHeadsDoNotFill() {
    assertThatThrownBy(() -> new SyntheticModel(100, 1, 1, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("hidden to be a multiple of 64");
  }

  /** File names with what is in them, as text of one character a byte. */
  private static Map<String, String> contents(Path folder) throws IOException {
    Map<String, String> contents = new TreeMap<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        contents.put(
            file.getFileName().toString(), Files.readString(file, StandardCharsets.ISO_8859_1));
      }
    }
    return contents;
  }
}
