package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.formats.compressedtensors.PresetSchemes;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import dev.quern.formats.json.JsonWriter;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Checkpoints with a search observer. The hashes are of the quantized tensors, name and bytes in
 * the order of names, that the reference's search, parameters, quantization and packing make of the
 * golden sources; that of W4A16 in bf16 is also that of the file that llm-compressor wrote.
 */
class ObserverSchemesTest {
  private static final String ALL = "Linear";

  /** Two matrices, of one and two rows of blocks or groups; long searches need no more. */
  private static final String TWO = "re:.*layers\\.0.*(k|down)_proj";

  @TempDir Path temp;

  @ParameterizedTest
  @CsvSource({
    "FP8_DYNAMIC, plain, bf16, 95b814e4fce89b15",
    "FP8_BLOCK, plain, bf16, e2fdcfcdf369b8d4",
    "W8A8, plain, bf16, db52947708d2d0f4",
    "W8A16, plain, bf16, 3ec62fb77a96839a",
    "W4A16, plain, bf16, ba5c26a3d0f065d8",
    "W4A16_ASYM, plain, bf16, bb543010619e6762",
    "FP8_DYNAMIC, plain, f16, 93f54225753be609",
    "FP8_BLOCK, plain, f16, 93f5b32fb9b9b5d4",
    "W8A8, plain, f16, 3fef02c8923fff39",
    "W8A16, plain, f16, 97b2df2499405a05",
    "W4A16, plain, f16, 57e3bc72ce5c3e92",
    "W4A16_ASYM, plain, f16, e4be20ea3894cb0c",
    "FP8_DYNAMIC, plain, f32, 4c0772e086777741",
    "FP8_BLOCK, plain, f32, e25ff6377b52290d",
    "W8A8, plain, f32, 32ab8531ff5e060b",
    "W8A16, plain, f32, 88451d6264a22991",
    "W4A16, plain, f32, b0b7e38c30c58536",
    "W4A16_ASYM, plain, f32, 5026610d603cc21f",
    "FP8_DYNAMIC, ragged, bf16, 51009d96a6fad2c2",
    "FP8_BLOCK, ragged, bf16, eb8e226d031e1f1e",
    "W8A8, ragged, bf16, 9a3f8b4c38a11f6c",
    "FP8_DYNAMIC, ragged, f16, 3408a39a0fcc4027",
    "FP8_BLOCK, ragged, f16, dbdbefba335f67ee",
    "W8A8, ragged, f16, 3d8804cf5d0827db",
    "FP8_DYNAMIC, ragged, f32, 17b7c58997f2b807",
    "FP8_BLOCK, ragged, f32, 3786a1a8c1ab85a2",
    "W8A8, ragged, f32, 7778b5918878f028",
  })
  void quantizedTensorsAreTheReferences(String scheme, String shape, String dtype, String hash)
      throws Exception {
    Path output = compress(shape + "-" + dtype, scheme, "memoryless_mse", Json.Obj.empty(), 2);
    assertThat(hash(output)).startsWith(hash);
  }

  @ParameterizedTest
  @CsvSource({
    "NVFP4A16, memoryless_mse, bf16, 04abe6681e825e9c",
    "NVFP4A16, memoryless_mse, f16, 94257cefa65c981b",
    "NVFP4A16, memoryless_mse, f32, 0e8d1b3d22054eea",
    "NVFP4A16, nvfp4_expanded_mse, bf16, 4a256a3fc84a2006",
    "NVFP4A16, nvfp4_expanded_mse, f16, 0ce8c6246e9367d2",
    "NVFP4A16, nvfp4_expanded_mse, f32, 604157985b41e4ab",
    "MXFP4A16, memoryless_mse, bf16, f76d71cec966ae7a",
    "MXFP4A16, memoryless_mse, f16, 0a6684f8eb76c402",
    "MXFP4A16, memoryless_mse, f32, 95cf3698fdc43017",
    "MXFP8A16, memoryless_mse, bf16, 9fbf8b2c8f693098",
    "MXFP8A16, memoryless_mse, f16, ea18a24c04fb257a",
    "MXFP8A16, memoryless_mse, f32, a2d2689e3d0f6076",
  })
  void microscaledTensorsAreTheReferences(String scheme, String observer, String dtype, String hash)
      throws Exception {
    assertThat(hash(compress("plain-" + dtype, scheme, observer, Json.Obj.empty(), 3)))
        .startsWith(hash);
  }

  @Test
  void aWholeCheckpointIsTheReferences() throws Exception {
    Path output = compress("plain-bf16", "W4A16", "memoryless_mse", Json.Obj.empty(), 2);
    Path golden = TestData.path("golden/schemes/W4A16-mse-bf16");
    assertThat(output.resolve("model.safetensors"))
        .hasSameBinaryContentAs(golden.resolve("model.safetensors"));
    assertThat(withoutVersion(output)).isEqualTo(withoutVersion(golden));
  }

  private static String withoutVersion(Path folder) {
    Json.Obj config = JsonReader.readObject(folder.resolve("config.json"));
    Json.Obj quantization = config.object("quantization_config").orElseThrow();
    return JsonWriter.pretty(config.with("quantization_config", quantization.without("version")));
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
    String one = hash(compress(TWO, "plain-bf16", "FP8_BLOCK", "mse", impatient, 1));
    String seven = hash(compress(TWO, "plain-bf16", "FP8_BLOCK", "mse", impatient, 7));
    Json.Obj patient = json("{\"patience\": 50, \"grid\": 1000}");
    assertThat(one).isEqualTo(seven);
    assertThat(hash(compress(TWO, "plain-bf16", "FP8_BLOCK", "mse", patient, 1))).isNotEqualTo(one);
  }

  @ParameterizedTest
  @CsvSource({
    "W4A16, bf16",
    "FP8_DYNAMIC, bf16",
    "FP8_BLOCK, bf16",
    "W8A8, bf16",
    "W4A16_ASYM, bf16",
    "MXFP4A16, bf16",
    "MXFP8A16, bf16",
    "W4A16, f16",
    "MXFP4A16, f16",
    "W4A16, f32",
    "W4A16_ASYM, f32",
    "MXFP8A16, f32",
  })
  void exactIsVerifiedWithinItsBounds(String scheme, String dtype) throws Exception {
    String one = hash(compress(TWO, "plain-" + dtype, scheme, "exact", Json.Obj.empty(), 1));
    String four = hash(compress(TWO, "plain-" + dtype, scheme, "exact", Json.Obj.empty(), 4));
    assertThat(one).isEqualTo(four);
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
    return compress(ALL, source, scheme, observer, settings, threads);
  }

  private Path compress(
      String target, String source, String scheme, String observer, Json.Obj settings, int threads)
      throws Exception {
    QuantizationScheme preset = PresetSchemes.named(scheme).scheme(List.of(target));
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
