package dev.quern.formats.compressedtensors;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.numeric.DType;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import dev.quern.formats.safetensors.TensorSpec;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class IgnoreListTest {
  private static final String UP = "model.layers.0.mlp.up_proj";

  @Test
  void namesEveryLinearThatWasLeftInModelOrder() {
    assertThat(
            ignore(
                "{'tie_word_embeddings': false}",
                Set.of(UP),
                "lm_head.weight",
                "model.layers.10.mlp.up_proj.weight",
                "model.layers.2.mlp.gate.weight",
                "model.layers.2.mlp.experts.10.up_proj.weight",
                "model.layers.2.mlp.experts.9.up_proj.weight",
                UP + ".weight",
                "model.embed_tokens.weight",
                "model.layers.2.mlp.up_proj.bias"))
        .containsExactly(
            "model.layers.2.mlp.experts.9.up_proj",
            "model.layers.2.mlp.experts.10.up_proj",
            "model.layers.2.mlp.gate",
            "model.layers.10.mlp.up_proj",
            "lm_head");
  }

  @Test
  void aTiedHeadIsNamedAlthoughItHasNoTensor() {
    String table = "model.embed_tokens.weight";
    String linear = UP + ".weight";
    assertThat(ignore("{'tie_word_embeddings': true}", Set.of(UP), linear, table))
        .containsExactly("lm_head");
    assertThat(ignore("{'text_config': {'tie_word_embeddings': true}}", Set.of(UP), linear, table))
        .containsExactly("lm_head");
    assertThat(ignore("{}", Set.of(UP), linear, table))
        .as("no word about it and no head: tied by the family's default")
        .containsExactly("lm_head");
    assertThat(ignore("{}", Set.of(UP), linear, table, "embed_out.weight"))
        .containsExactly("embed_out");
    assertThat(ignore("{'tie_word_embeddings': false}", Set.of(UP), linear, table)).isEmpty();
    assertThat(
            ignore(
                "{'tie_word_embeddings': true}", Set.of(UP, "lm_head"), linear, "lm_head.weight"))
        .isEmpty();
  }

  @Test
  void multiTokenPrediction() {
    assertThat(ignore("{'num_mtp_layers': 1}", Set.of(UP), UP + ".weight", "lm_head.weight"))
        .containsExactly("lm_head", "re:^mtp.*");
    assertThat(
            ignore(
                "{'text_config': {'mtp_num_hidden_layers': 1}}",
                Set.of(UP),
                UP + ".weight",
                "lm_head.weight",
                "mtp.fc.weight"))
        .containsExactly("lm_head", "re:^mtp.*");
    assertThat(ignore("{'num_mtp_layers': 0}", Set.of(UP), UP + ".weight", "lm_head.weight"))
        .containsExactly("lm_head");
    assertThat(
            ignore(
                "{}",
                Set.of(UP),
                UP + ".weight",
                "lm_head.weight",
                "model.layers.1.eh_proj.weight"))
        .containsExactly("model.layers.1.eh_proj", "lm_head");
  }

  @Test
  void fusedExpertsAreNamedByAnExpression() {
    List<String> ignore =
        ignore(
            "{}",
            Set.of(UP),
            UP + ".weight",
            "lm_head.weight",
            "model.layers.1.mlp.experts.gate_up_proj",
            "model.layers.1.mlp.experts.down_proj");
    assertThat(ignore).containsExactly("lm_head", "re:^model\\.layers\\.1\\.mlp\\.experts\\b.*");
    ModulePattern pattern = ModulePattern.parse(ignore.getLast());
    assertThat(pattern.matchesName("model.layers.1.mlp.experts.0.gate_proj")).isTrue();
    assertThat(pattern.matchesName("model.layers.1.mlp.experts")).isTrue();
    assertThat(pattern.matchesName("model.layers.10.mlp.experts.0.gate_proj")).isFalse();
  }

  @Test
  void onlyClassesThatWereQuantizedAreNamed() {
    assertThat(ignore("{}", Set.of(), UP + ".weight", "lm_head.weight")).isEmpty();
    assertThat(
            ignore(
                "{}",
                Set.of("model.embed_tokens"),
                "model.embed_tokens.weight",
                "model.embed_positions.weight",
                "lm_head.weight"))
        .containsExactly("model.embed_positions");
  }

  private static List<String> ignore(String config, Set<String> quantized, String... names) {
    List<TensorSpec> tensors = new ArrayList<>();
    for (String name : names) {
      boolean fused = name.endsWith("experts.gate_up_proj") || name.endsWith("experts.down_proj");
      long[] shape =
          fused ? new long[] {4, 8, 8} : name.endsWith("bias") ? new long[] {8} : new long[] {8, 8};
      tensors.add(TensorSpec.of(name, DType.BF16, shape));
    }
    Json.Obj model =
        (Json.Obj)
            JsonReader.parse(
                config.replace('\'', '"').getBytes(StandardCharsets.UTF_8), "config.json");
    return IgnoreList.of(
        TensorClassifier.forCheckpoint(tensors).classifyAll(tensors), quantized, model);
  }
}
