package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import dev.quern.formats.json.JsonWriter;
import dev.quern.testdata.TestData;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Our files against the reference's, byte for byte: same tensors, dtypes, shapes, order and bytes,
 * same config.json apart from the version of compressed-tensors.
 */
@Tag("twin")
class GoldenSchemesTest {
  @TempDir Path temp;

  @ParameterizedTest
  @CsvSource({
    "FP8_DYNAMIC, plain, bf16",
    "FP8_DYNAMIC, plain, f16",
    "FP8_DYNAMIC, plain, f32",
    "FP8_DYNAMIC, ragged, bf16",
    "FP8_BLOCK, plain, bf16",
    "FP8_BLOCK, plain, f16",
    "FP8_BLOCK, plain, f32",
    "FP8_BLOCK, ragged, bf16",
    "FP8_BLOCK, ragged, f16",
    "FP8_BLOCK, ragged, f32",
    "NVFP4A16, plain, bf16",
    "NVFP4A16, plain, f16",
    "NVFP4A16, plain, f32",
    "MXFP4A16, plain, bf16",
    "MXFP4A16, plain, f16",
    "MXFP4A16, plain, f32",
    "MXFP4, plain, bf16",
    "MXFP8A16, plain, bf16",
    "MXFP8A16, plain, f16",
    "MXFP8A16, plain, f32",
    "MXFP8, plain, bf16",
    "W8A8, plain, bf16",
    "W8A8, plain, f16",
    "W8A8, plain, f32",
    "W8A8, ragged, bf16",
    "W8A16, plain, bf16",
    "W8A16, plain, f16",
    "W8A16, plain, f32",
    "W4A16, plain, bf16",
    "W4A16, plain, f16",
    "W4A16, plain, f32",
    "W4A16_ASYM, plain, bf16",
    "W4A16_ASYM, plain, f16",
    "W4A16_ASYM, plain, f32",
    "W3A16, plain, bf16",
    "W3A16, plain, f16",
    "W3A16, plain, f32",
    "W2A16, plain, bf16",
    "W5A16, plain, bf16",
    "W6A16, plain, bf16",
    "W4A8, plain, bf16",
    "W4AFP8, plain, bf16"
  })
  void equalsTheReferencesFiles(String scheme, String shape, String dtype) throws Exception {
    Path source = TestData.path("golden/source/" + shape + "-" + dtype);
    // The reference packs W4AFP8 only when it is told to.
    String packed = scheme.equals("W4AFP8") ? "-pack" : "";
    String name = scheme + packed + (shape.equals("plain") ? "" : "-" + shape) + "-" + dtype;
    Path golden = TestData.path("golden/schemes/" + name);
    Path output = temp.resolve("out");

    Quern.compress(CompressionOptions.of(source, output, scheme), Progress.NONE);

    assertThat(output.resolve("model.safetensors"))
        .hasSameBinaryContentAs(golden.resolve("model.safetensors"));
    assertThat(withoutVersion(output)).isEqualTo(withoutVersion(golden));
    assertThat(output.resolve("generation_config.json"))
        .hasSameBinaryContentAs(source.resolve("generation_config.json"));
    assertThat(output.resolve("model.safetensors.index.json")).doesNotExist();
    try (var files = Files.list(output)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "config.json", "generation_config.json", "model.safetensors", "recipe.yaml");
    }
  }

  private static String withoutVersion(Path folder) {
    Json.Obj config = JsonReader.readObject(folder.resolve("config.json"));
    Json.Obj quantization = config.object("quantization_config").orElseThrow();
    assertThat(quantization.string("version")).isPresent();
    return JsonWriter.pretty(config.with("quantization_config", quantization.without("version")));
  }
}
