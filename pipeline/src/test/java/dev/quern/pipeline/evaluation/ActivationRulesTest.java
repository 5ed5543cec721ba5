package dev.quern.pipeline.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.engine.quantization.ActivationRounding;
import dev.quern.engine.quantization.ActivationRounding.Element;
import dev.quern.engine.quantization.ActivationRounding.Scales;
import dev.quern.formats.CheckpointException;
import dev.quern.pipeline.model.DecoderModel;
import dev.quern.testdata.TestData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ActivationRulesTest {
  private static final String Q_PROJ = "model.layers.0.self_attn.q_proj";
  private static final String ATTENTION = "model.layers.1.self_attn";

  @TempDir Path temp;

  private static ActivationRules rules(Path folder) {
    try (DecoderModel model = DecoderModel.open(folder)) {
      return ActivationRules.of(model);
    }
  }

  private static ActivationRules rules(String scheme) {
    return rules(TestData.path("golden/schemes/" + scheme));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "FP8-bf16 | 14 | FP8, by tensor, static",
        "FP8_DYNAMIC-bf16 | 14 | FP8, by token",
        "FP8_BLOCK-bf16 | 14 | FP8, groups of 128",
        "W8A8-bf16 | 14 | int8, by token",
        "W4A8-bf16 | 14 | int8, by token",
        "W4AFP8-pack-bf16 | 14 | FP8, by token",
        "NVFP4-bf16 | 14 | NVFP4, groups of 16",
        "MXFP4-bf16 | 14 | MXFP4, groups of 32",
        "MXFP8-bf16 | 14 | MXFP8, groups of 32",
        "MIXED-bf16 | 14 | FP8, by token; NVFP4, groups of 16",
        "FP8_DYNAMIC-kv-bf16 | 14 | FP8, by token; keys and values FP8, by tensor, static",
        "W4A16-bf16 | 0 | as they are",
        "NVFP4A16-bf16 | 0 | as they are"
      })
  void referenceCheckpointsHaveTheirRules(String scheme, int inputs, String summary) {
    ActivationRules rules = rules(scheme);
    assertThat(rules.summary()).isEqualTo(summary);
    assertThat(rules.inputs()).hasSize(inputs).doesNotContainKey("lm_head");
    assertThat(rules.notes()).isEmpty();
  }

  @Test
  void storedScalesAreRead() {
    assertThat(rules("FP8-bf16").inputs().get(Q_PROJ).scales())
        .isInstanceOfSatisfying(
            Scales.Given.class,
            given ->
                assertThat(given.scales())
                    .singleElement()
                    .satisfies(s -> assertThat(s).isPositive()));
    assertThat(rules("NVFP4-bf16").inputs().get(Q_PROJ).scales())
        .isInstanceOfSatisfying(
            Scales.TwoLevels.class, levels -> assertThat(levels.global()).isGreaterThan(1));
    ActivationRules cached = rules("FP8_DYNAMIC-kv-bf16");
    assertThat(cached.keys()).hasSize(2).containsKey(ATTENTION);
    assertThat(cached.values().get(ATTENTION).element()).isEqualTo(Element.E4M3);
    assertThat(cached.queries()).isEmpty();
    assertThat(rules("W8A8-bf16").inputs().get(Q_PROJ))
        .isEqualTo(new ActivationRounding(Element.INT, 8, true, new Scales.OfRow()));
  }

  @Test
  void plainModelsHaveNone() {
    assertThat(rules(TestData.path("golden/source/plain-bf16"))).isEqualTo(ActivationRules.none());
  }

  /** A checkpoint with another configuration. */
  private Path changed(String scheme, UnaryOperator<String> change) throws IOException {
    Path source = TestData.path("golden/schemes/" + scheme);
    Path folder = Files.createDirectory(temp.resolve(scheme));
    Files.copy(source.resolve("model.safetensors"), folder.resolve("model.safetensors"));
    String config = Files.readString(source.resolve("config.json"));
    String changed = change.apply(config);
    assertThat(changed).isNotEqualTo(config);
    Files.writeString(folder.resolve("config.json"), changed);
    return folder;
  }

  @Test
  void missingScalesAreRefused() throws IOException {
    Path folder =
        changed(
            "FP8_DYNAMIC-bf16",
            config ->
                config
                    .replace("\"dynamic\": true", "\"dynamic\": false")
                    .replace("\"strategy\": \"token\"", "\"strategy\": \"tensor\""));
    assertThatThrownBy(() -> rules(folder))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContainingAll(
            "expected a tensor input_scale, found none", "--no-activation-quantization");
  }

  @Test
  void cacheWithoutScalesIsNoted() throws IOException {
    Path folder =
        changed(
            "FP8-bf16",
            config ->
                config.replace(
                    "\"kv_cache_scheme\": null",
                    "\"kv_cache_scheme\": {\"num_bits\": 8, \"type\": \"float\","
                        + " \"strategy\": \"tensor\", \"dynamic\": false, \"symmetric\": true}"));
    ActivationRules rules = rules(folder);
    assertThat(rules.keys()).isEmpty();
    assertThat(rules.notes()).singleElement().asString().contains("2 layers", "no k_scale");
  }

  @Test
  void groupsThatDivideNothingAreRefused() throws IOException {
    Path folder =
        changed(
            "FP8_BLOCK-bf16",
            config -> config.replace("\"group_size\": 128", "\"group_size\": 96"));
    assertThatThrownBy(() -> rules(folder))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("expected groups that divide its 128 inputs");
  }
}
