package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.formats.compressedtensors.QuantizationConfig;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.recipe.Recipe;
import dev.quern.formats.recipe.RecipeRule;
import dev.quern.testdata.TestData;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
