package dev.quern.formats.compressedtensors;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class FusedSetsTest {
  @Test
  void attentionAndMlpOfEachLayer() {
    List<String> modules =
        List.of(
            "model.embed_tokens",
            "model.layers.0.self_attn.q_proj",
            "model.layers.0.self_attn.k_proj",
            "model.layers.0.self_attn.v_proj",
            "model.layers.0.self_attn.o_proj",
            "model.layers.0.mlp.gate_proj",
            "model.layers.0.mlp.up_proj",
            "model.layers.0.mlp.down_proj",
            "model.layers.1.mlp.up_proj",
            "model.layers.1.mlp.gate_proj",
            "lm_head");
    assertThat(FusedSets.of(modules))
        .containsExactly(
            List.of(
                "model.layers.0.self_attn.q_proj",
                "model.layers.0.self_attn.k_proj",
                "model.layers.0.self_attn.v_proj"),
            List.of("model.layers.0.mlp.gate_proj", "model.layers.0.mlp.up_proj"),
            List.of("model.layers.1.mlp.gate_proj", "model.layers.1.mlp.up_proj"));
  }

  @Test
  void eachExpertIsAParentOfItsOwn() {
    List<String> modules =
        List.of(
            "m.experts.0.w1",
            "m.experts.0.w2",
            "m.experts.0.w3",
            "m.experts.1.w1",
            "m.experts.1.w3",
            "m.experts.10.gate_proj",
            "m.experts.10.up_proj",
            "m.shared_expert.up_proj");
    assertThat(FusedSets.of(modules))
        .containsExactly(
            List.of("m.experts.0.w1", "m.experts.0.w3"),
            List.of("m.experts.1.w1", "m.experts.1.w3"),
            List.of("m.experts.10.gate_proj", "m.experts.10.up_proj"));
  }

  @Test
  void latentAttention() {
    assertThat(FusedSets.of(List.of("a.q_a_proj", "a.q_b_proj", "a.kv_a_proj_with_mqa")))
        .containsExactly(List.of("a.q_a_proj", "a.kv_a_proj_with_mqa"));
  }

  @Test
  void anIncompleteSetIsNone() {
    assertThat(
            FusedSets.of(List.of("a.q_proj", "a.kv_a_proj_with_mqa", "b.gate_proj", "c.up_proj")))
        .isEmpty();
    assertThat(FusedSets.of(List.of("a.q_proj", "a.k_proj", "b.v_proj"))).isEmpty();
    assertThat(FusedSets.of(List.of("a.qkv_proj", "a.gate_up_proj"))).isEmpty();
  }

  @Test
  void modulesWithoutParent() {
    assertThat(FusedSets.of(List.of("w1", "w3", "x.w1"))).containsExactly(List.of("w1", "w3"));
  }
}
