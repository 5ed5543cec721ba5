package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.formats.compressedtensors.PresetSchemes;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import dev.quern.formats.recipe.Recipe;
import dev.quern.formats.recipe.RecipeRule;
import dev.quern.formats.safetensors.SafetensorsFile;
import dev.quern.formats.safetensors.TensorInfo;
import dev.quern.testdata.TestData;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Checkpoints with a search observer. The hashes are of the quantized tensors, name and bytes in
 * the order of names, that the reference's search, parameters, quantization and packing make of the
 * golden sources.
 */
class ObserverSchemesTest {
  @TempDir Path temp;

  @ParameterizedTest
  @Tag("twin")
  @CsvSource({
    "FP8_DYNAMIC, plain, bf16, 95b814e4fce89b15",
    "FP8_BLOCK, plain, bf16, e2fdcfcdf369b8d4",
    "FP8_DYNAMIC, plain, f16, 93f54225753be609",
    "FP8_BLOCK, plain, f16, 93f5b32fb9b9b5d4",
    "FP8_DYNAMIC, plain, f32, 4c0772e086777741",
    "FP8_BLOCK, plain, f32, e25ff6377b52290d",
    "FP8_DYNAMIC, ragged, bf16, 51009d96a6fad2c2",
    "FP8_BLOCK, ragged, bf16, eb8e226d031e1f1e",
    "FP8_DYNAMIC, ragged, f16, 3408a39a0fcc4027",
    "FP8_BLOCK, ragged, f16, dbdbefba335f67ee",
    "FP8_DYNAMIC, ragged, f32, 17b7c58997f2b807",
    "FP8_BLOCK, ragged, f32, 3786a1a8c1ab85a2",
  })
  void quantizedTensorsAreTheReferences(String scheme, String shape, String dtype, String hash)
      throws Exception {
    Path output = compress(shape + "-" + dtype, scheme, "memoryless_mse", Json.Obj.empty(), 2);
    assertThat(hash(output)).startsWith(hash);
  }

  @ParameterizedTest
  @CsvSource({"mse", "memoryless_mse"})
  void theConfigurationKeepsTheName(String observer) throws Exception {
    Path output = compress("plain-bf16", "FP8_DYNAMIC", observer, Json.Obj.empty(), 1);
    String config = JsonReader.readObject(output.resolve("config.json")).toString();
    assertThat(config).contains("\"observer\":\"" + observer + "\"");
    assertThat(hash(output)).startsWith("95b814e4fce89b15");
  }

  @Test
  void patienceIsThatOfTheWholeMatrix() throws Exception {
    Json.Obj impatient = json("{\"patience\": 1, \"grid\": 1000}");
    String one = hash(compress("plain-bf16", "FP8_BLOCK", "mse", impatient, 1));
    String seven = hash(compress("plain-bf16", "FP8_BLOCK", "mse", impatient, 7));
    Json.Obj patient = json("{\"patience\": 50, \"grid\": 1000}");
    assertThat(one).isEqualTo(seven);
    assertThat(hash(compress("plain-bf16", "FP8_BLOCK", "mse", patient, 1))).isNotEqualTo(one);
  }

  @Test
  void whatIsMissingIsRefusedBeforeAnythingIsWritten() {
    assertThatThrownBy(
            () -> compress("plain-bf16", "FP8_DYNAMIC", "static_mse", Json.Obj.empty(), 1))
        .isInstanceOf(QuernException.class)
        .hasMessageContainingAll("observer", "static_mse", "memoryless_mse");
    Json.Obj wrong = json("{\"norm\": \"two\"}");
    assertThatThrownBy(() -> compress("plain-bf16", "FP8_DYNAMIC", "mse", wrong, 1))
        .isInstanceOf(QuernException.class)
        .hasMessageContainingAll("norm", "a number above 0");
    assertThat(temp).isEmptyDirectory();
  }

  private Path compress(
      String source, String scheme, String observer, Json.Obj settings, int threads)
      throws Exception {
    QuantizationScheme preset = PresetSchemes.named(scheme).scheme(List.of("Linear"));
    QuantizationScheme changed =
        preset.withWeights(
            preset.weights().orElseThrow().toBuilder()
                .observer(observer)
                .observerKwargs(settings)
                .build());
    Path output = temp.resolve(scheme + observer + settings.hashCode() + threads);
    Quern.compress(
        CompressionOptions.of(
                TestData.path("golden/source/" + source),
                output,
                Recipe.of("test", List.of(new RecipeRule(scheme, changed))))
            .withThreads(threads)
            .withMemoryBytes(4_000_000),
        Progress.NONE);
    return output;
  }

  private static String hash(Path output) throws Exception {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    try (SafetensorsFile file = SafetensorsFile.open(output.resolve("model.safetensors"));
        Arena arena = Arena.ofConfined()) {
      List<TensorInfo> tensors =
          file.tensors().stream()
              .filter(tensor -> isQuantized(tensor.name()))
              .sorted(Comparator.comparing(TensorInfo::name))
              .toList();
      assertThat(tensors).isNotEmpty();
      for (TensorInfo tensor : tensors) {
        digest.update(tensor.name().getBytes(StandardCharsets.UTF_8));
        digest.update(file.map(tensor, 0, tensor.bytes(), arena).toArray(ValueLayout.JAVA_BYTE));
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static Json.Obj json(String text) {
    return (Json.Obj) JsonReader.parse(text.getBytes(StandardCharsets.UTF_8), "test");
  }

  private static boolean isQuantized(String name) {
    return name.contains("_proj.weight");
  }
}
