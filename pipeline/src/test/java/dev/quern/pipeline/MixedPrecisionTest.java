package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.formats.compressedtensors.PresetSchemes;
import dev.quern.formats.compressedtensors.QuantizationConfig;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import dev.quern.formats.recipe.Recipe;
import dev.quern.formats.recipe.RecipeRule;
import dev.quern.testdata.TestData;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Several schemes in one checkpoint. */
class MixedPrecisionTest {
  private static final Path SOURCE = TestData.path("golden/source/plain-bf16");

  @TempDir Path temp;

  @Test
  void eachModuleHasTheBytesThatItsSchemeAloneGives() throws Exception {
    Recipe recipe =
        Recipe.of(
            "--scheme",
            List.of(
                RecipeRule.preset("FP8_BLOCK", List.of("re:.*mlp.*")),
                RecipeRule.preset("FP8_DYNAMIC", List.of("re:.*self_attn.(q|k|v|o)_proj"))));

    CompressionReport report =
        Quern.compress(CompressionOptions.of(SOURCE, temp.resolve("out"), recipe), Progress.NONE);

    assertThat(report.plan().schemeName()).isEqualTo("FP8_BLOCK + FP8_DYNAMIC");
    assertThat(report.plan().quantizedTensors()).isEqualTo(14);
    QuantizationConfig config = report.plan().quantizationConfig();
    // The order of the model: attention stands before the feed-forward part.
    assertThat(config.configGroups().get("group_0").targets())
        .containsExactly("re:.*self_attn.(q|k|v|o)_proj");
    assertThat(config.configGroups().get("group_1").targets()).containsExactly("re:.*mlp.*");
    assertThat(config.format().configName()).isEqualTo("float-quantized");
    assertThat(config.ignore()).containsExactly("lm_head");
    assertThat(
            equalTensors(temp.resolve("out"), "FP8_BLOCK-bf16", ".mlp.")
                + equalTensors(temp.resolve("out"), "FP8_DYNAMIC-bf16", ".self_attn."))
        .isEqualTo(28);
  }

  @Test
  void oneSchemeUnderTwoTargetsIsTwoGroups() {
    Recipe recipe =
        Recipe.of(
            "--scheme",
            List.of(
                RecipeRule.preset("FP8_DYNAMIC", List.of("re:.*mlp.*")),
                RecipeRule.preset("FP8_DYNAMIC", List.of("re:.*self_attn.*"))));

    CompressionPlan plan = Quern.plan(CompressionOptions.of(SOURCE, temp.resolve("out"), recipe));

    assertThat(plan.quantizationConfig().configGroups()).hasSize(2);
    assertThat(plan.tensors().stream().flatMap(t -> t.rule().stream()).distinct())
        .containsExactlyInAnyOrder("FP8_DYNAMIC:re:.*mlp.*", "FP8_DYNAMIC:re:.*self_attn.*");
  }

  /**
   * MIXED-bf16 of the reference has NVFP4 with scales of inputs, which take calibration data. With
   * the weights of it alone the tensors are those of NVFP4A16, and the groups differ in the inputs
   * only.
   */
  @ParameterizedTest
  @CsvSource({"NVFP4A16, nvfp4-pack-quantized", "W4A16, pack-quantized"})
  void fourAndEightBits(String fourBits, String format) throws Exception {
    Path output = temp.resolve("out");
    List<String> schemes =
        List.of(fourBits + ":re:.*mlp.*", "FP8_DYNAMIC:re:.*self_attn.(q|k|v|o)_proj");

    Quern.compress(CompressionOptions.ofSchemes(SOURCE, output, schemes), Progress.NONE);

    int parameters = 3;
    assertThat(equalTensors(output, fourBits + "-bf16", ".mlp.")).isEqualTo(2 * 3 * parameters);
    assertThat(equalTensors(output, "FP8_DYNAMIC-bf16", ".self_attn.")).isEqualTo(2 * 4 * 2);
    Json.Obj mine = quantization(JsonReader.readObject(output.resolve("config.json")));
    Json.Obj golden =
        quantization(JsonReader.readObject(TestData.path("golden/configs/MIXED-bf16.json")));
    assertThat(mine.without("config_groups")).isEqualTo(golden.without("config_groups"));
    assertThat(group(mine, 0)).isEqualTo(group(golden, 0));
    assertThat(group(mine, 1).array("targets")).isEqualTo(group(golden, 1).array("targets"));
    assertThat(group(mine, 1).string("format")).contains(format);
    if (fourBits.equals("NVFP4A16")) {
      assertThat(group(mine, 1))
          .isEqualTo(group(golden, 1).with("input_activations", Json.Null.NULL));
    }
  }

  /** The line "Embedding int8 + Linear int4" of what the reference writes. */
  @Test
  void embeddingsWithEightBitsAndMatricesWithFour() throws Exception {
    QuantizationScheme table =
        QuantizationScheme.of(
            List.of("Embedding"), PresetSchemes.named("W8A8").weights(), Optional.empty());
    Recipe recipe =
        Recipe.of(
            "test",
            List.of(RecipeRule.preset("W4A16", List.of("Linear")), new RecipeRule("table", table)));
    Path output = temp.resolve("out");

    Quern.compress(CompressionOptions.of(SOURCE, output, recipe), Progress.NONE);

    assertThat(equalTensors(output, "W4A16-bf16", ".layers.")).isEqualTo(2 * 7 * 3 + 4);
    Json.Obj mine = quantization(JsonReader.readObject(output.resolve("config.json")));
    assertThat(mine.string("format")).contains("pack-quantized");
    assertThat(mine.array("ignore")).contains(List.of(Json.of("lm_head")));
    Json.Obj weights = group(mine, 0).object("weights").orElseThrow();
    assertThat(group(mine, 0).array("targets")).contains(List.of(Json.of("Embedding")));
    assertThat(weights.string("strategy")).contains("channel");
    assertThat(weights.integer("num_bits")).contains(8L);
    assertThat(weights.string("observer")).contains("memoryless_minmax");
    assertThat(group(mine, 1).array("targets")).contains(List.of(Json.of("Linear")));
    assertThat(group(mine, 1).object("weights").orElseThrow().integer("group_size")).contains(128L);
  }

  private static Json.Obj quantization(Json.Obj config) {
    return config
        .object("quantization_config")
        .or(() -> Optional.of(config))
        .orElseThrow()
        .without("version");
  }

  private static Json.Obj group(Json.Obj quantization, int index) {
    return quantization
        .object("config_groups")
        .flatMap(groups -> groups.object("group_" + index))
        .orElseThrow();
  }

  /** Compares all tensors of a part of the model, and counts them. */
  static int equalTensors(Path output, String golden, String part) throws Exception {
    int equal = 0;
    try (Arena arena = Arena.ofConfined();
        HuggingFaceCheckpoint ours = HuggingFaceCheckpoint.open(output);
        HuggingFaceCheckpoint theirs =
            HuggingFaceCheckpoint.open(TestData.path("golden/schemes/" + golden))) {
      for (SourceTensor expected : theirs.tensors()) {
        if (expected.name().contains(part)) {
          SourceTensor actual = ours.find(expected.name()).orElseThrow();
          assertThat(actual.info().spec()).isEqualTo(expected.info().spec());
          long bytes = expected.info().bytes();
          assertThat(
                  actual
                      .file()
                      .map(actual.info(), 0, bytes, arena)
                      .mismatch(expected.file().map(expected.info(), 0, bytes, arena)))
              .as(expected.name())
              .isEqualTo(-1);
          equal++;
        }
      }
    }
    return equal;
  }
}
