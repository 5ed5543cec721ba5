package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import dev.quern.testdata.TestData;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What we make of the reference's compressed checkpoints, against what its own decompressor makes
 * of them: the same names and the same bytes. {@code golden/decompressed.sha256} has the digests.
 */
@Tag("twin")
class DecompressGoldenTest {
  private record Golden(String digest, String name) {
    Path folder() {
      return TestData.path("golden/schemes").resolve(name);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  @TempDir Path temp;

  static Stream<Golden> goldens() throws Exception {
    return Files.readAllLines(TestData.path("golden/decompressed.sha256")).stream()
        .map(line -> new Golden(line.substring(0, 64), line.substring(65)))
        // Not all of the reference's checkpoints are kept here.
        .filter(golden -> Files.exists(golden.folder()));
  }

  @Test
  void thereAreCheckpointsOfManyKinds() throws Exception {
    assertThat(goldens()).hasSizeGreaterThanOrEqualTo(20);
  }

  @ParameterizedTest
  @MethodSource("goldens")
  void equalsTheReferencesDecompressor(Golden golden) throws Exception {
    Path output = temp.resolve("out");
    DecompressionReport report =
        Quern.decompress(
            DecompressionOptions.of(golden.folder(), output).withThreads(2), Progress.NONE);

    assertThat(digest(output)).isEqualTo(golden.digest());
    Json.Obj config = JsonReader.readObject(output.resolve("config.json"));
    assertThat(config)
        .isEqualTo(
            JsonReader.readObject(golden.folder().resolve("config.json"))
                .without("quantization_config"));
    assertEveryTensorHasOneFate(golden.folder(), report.plan());
  }

  /** SHA-256 of all tensors in the order of their names: name, then bytes. */
  private static String digest(Path model) throws Exception {
    MessageDigest sha = MessageDigest.getInstance("SHA-256");
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(model);
        Arena arena = Arena.ofConfined()) {
      List<SourceTensor> tensors = new ArrayList<>(checkpoint.tensors());
      tensors.sort(Comparator.comparing(SourceTensor::name));
      for (SourceTensor tensor : tensors) {
        sha.update(tensor.name().getBytes(StandardCharsets.UTF_8));
        sha.update(
            tensor.file().map(tensor.info(), 0, tensor.info().bytes(), arena).asByteBuffer());
      }
    }
    return HexFormat.of().formatHex(sha.digest());
  }

  static void assertEveryTensorHasOneFate(Path model, DecompressionPlan plan) {
    List<String> owned = new ArrayList<>();
    for (TensorPlan tensor : plan.tensors()) {
      for (SourcePart part : tensor.parts()) {
        assertThat(part.bytes()).isEqualTo(part.tensor().bytes());
        owned.add(part.tensor().name());
      }
    }
    plan.dropped().forEach(tensor -> owned.add(tensor.name()));
    assertThat(owned)
        .containsExactlyInAnyOrderElementsOf(
            Quern.inspect(model).tensors().stream().map(Inspection.Tensor::name).toList());
  }
}
