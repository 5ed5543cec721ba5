package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import dev.quern.formats.json.JsonWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Our files against the reference's, byte for byte: same tensors, dtypes, shapes, order and bytes,
 * same config.json apart from the version of compressed-tensors.
 */
@Tag("twin")
class GoldenSchemesTest {
  @TempDir Path temp;

  static Stream<GoldenCase> goldens() {
    return GoldenCase.withoutCalibration();
  }

  @ParameterizedTest
  @MethodSource("goldens")
  void equalsTheReferencesFiles(GoldenCase reference) throws Exception {
    Path source = reference.source();
    Path golden = reference.folder();
    Path output = temp.resolve("out");

    Quern.compress(reference.options(output), Progress.NONE);

    assertThat(output.resolve("model.safetensors"))
        .hasSameBinaryContentAs(golden.resolve("model.safetensors"));
    assertThat(withoutVersion(output)).isEqualTo(withoutVersion(golden));
    assertThat(output.resolve("generation_config.json"))
        .hasSameBinaryContentAs(source.resolve("generation_config.json"));
    assertThat(output.resolve("model.safetensors.index.json")).doesNotExist();
    try (var files = Files.list(output)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "config.json",
              "generation_config.json",
              "model.safetensors",
              "recipe.yaml",
              "report.html",
              "report.json");
    }
  }

  private static String withoutVersion(Path folder) {
    Json.Obj config = JsonReader.readObject(folder.resolve("config.json"));
    Json.Obj quantization = config.object("quantization_config").orElseThrow();
    assertThat(quantization.string("version")).isPresent();
    return JsonWriter.pretty(config.with("quantization_config", quantization.without("version")));
  }
}
