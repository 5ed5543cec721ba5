package dev.quern.formats.compressedtensors;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.numeric.DType;
import dev.quern.formats.safetensors.TensorSpec;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TensorClassifierTest {
  /** Names and shapes as published checkpoints have them. */
  @ParameterizedTest
  @CsvSource({
    // Llama, Mistral, Qwen2, Qwen3, Granite, OLMo 2
    "model.embed_tokens.weight, 32000x4096, EMBEDDING",
    "model.layers.0.self_attn.q_proj.weight, 4096x4096, LINEAR",
    "model.layers.0.self_attn.q_proj.bias, 4096, BIAS",
    "model.layers.0.self_attn.q_norm.weight, 128, NORM",
    "model.layers.0.self_attn.rotary_emb.inv_freq, 64, OTHER",
    "model.layers.0.mlp.gate_proj.weight, 11008x4096, LINEAR",
    "model.layers.0.input_layernorm.weight, 4096, NORM",
    "model.norm.weight, 4096, NORM",
    "lm_head.weight, 32000x4096, LINEAR",
    // Cohere normalises each head with a row of its own
    "model.layers.0.self_attn.k_norm.weight, 8x128, NORM",
    // Phi-3
    "model.layers.0.self_attn.qkv_proj.weight, 9216x3072, LINEAR",
    "model.layers.0.mlp.gate_up_proj.weight, 16384x3072, LINEAR",
    // Gemma 3n
    "model.language_model.embed_tokens_per_layer.weight, 262144x7680, EMBEDDING",
    // Mixtral
    "model.layers.0.block_sparse_moe.gate.weight, 8x4096, ROUTER",
    "model.layers.0.block_sparse_moe.experts.0.w1.weight, 14336x4096, LINEAR",
    // Qwen2-MoE, Qwen3-MoE
    "model.layers.0.mlp.gate.weight, 128x2048, ROUTER",
    "model.layers.0.mlp.shared_expert_gate.weight, 1x2048, ROUTER",
    "model.layers.0.mlp.shared_expert.gate_proj.weight, 5632x2048, LINEAR",
    "model.layers.0.mlp.experts.3.gate_proj.weight, 768x2048, LINEAR",
    "model.layers.0.mlp.experts.gate_up_proj, 128x1536x2048, FUSED_EXPERTS",
    "model.layers.0.mlp.experts.down_proj, 128x2048x768, FUSED_EXPERTS",
    // DeepSeek-V3
    "model.layers.3.mlp.gate.e_score_correction_bias, 256, BIAS",
    "model.layers.0.self_attn.kv_a_proj_with_mqa.weight, 576x7168, LINEAR",
    "model.layers.0.self_attn.q_a_layernorm.weight, 1536, NORM",
    "model.layers.3.mlp.shared_experts.gate_proj.weight, 2048x7168, LINEAR",
    // gpt-oss
    "model.layers.0.mlp.router.weight, 32x2880, ROUTER",
    "model.layers.0.mlp.router.bias, 32, BIAS",
    "model.layers.0.mlp.experts.gate_up_proj_bias, 32x5760, BIAS",
    "model.layers.0.self_attn.sinks, 64, OTHER",
    // Granite MoE, DBRX, HunYuan, Llama 4
    "model.layers.0.block_sparse_moe.router.layer.weight, 32x1024, ROUTER",
    "model.layers.0.block_sparse_moe.input_linear.weight, 32x1024x1024, FUSED_EXPERTS",
    "transformer.blocks.0.ffn.router.layer.weight, 16x6144, ROUTER",
    "model.layers.0.mlp.gate.wg.weight, 64x4096, ROUTER",
    "language_model.model.layers.0.feed_forward.router.weight, 16x5120, ROUTER",
    "language_model.model.layers.0.feed_forward.experts.gate_up_proj, 16x5120x16384, FUSED_EXPERTS",
    // A gate of an attention is no router
    "model.layers.0.self_attn.gate.weight, 64x2048, LINEAR",
    // BLOOM, Falcon, GPT-NeoX, OPT, OLMo 1, T5
    "word_embeddings.weight, 250880x1024, EMBEDDING",
    "word_embeddings_layernorm.weight, 1024, NORM",
    "h.0.self_attention.query_key_value.weight, 3072x1024, LINEAR",
    "transformer.h.0.mlp.dense_h_to_4h.weight, 18176x4544, LINEAR",
    "gpt_neox.embed_in.weight, 50432x512, EMBEDDING",
    "embed_out.weight, 50432x512, LINEAR",
    "gpt_neox.layers.0.attention.bias, 1x1x2048x2048, OTHER",
    "model.decoder.embed_positions.weight, 2050x768, EMBEDDING",
    "model.decoder.layers.0.fc1.weight, 3072x768, LINEAR",
    "model.transformer.blocks.0.ff_out.weight, 2048x8192, LINEAR",
    "shared.weight, 32128x512, EMBEDDING",
    "model.layers.0.mlp.shared.weight, 128x512, LINEAR",
    "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight, 32x8, EMBEDDING",
    // Towers and state space models
    "vision_tower.embeddings.patch_embedding.weight, 1152x3x14x14, CONVOLUTION",
    "vision_tower.embeddings.position_embedding.weight, 729x1152, EMBEDDING",
    "visual.blocks.0.attn.qkv.weight, 3840x1280, LINEAR",
    "backbone.embeddings.weight, 50280x768, EMBEDDING",
    "backbone.layers.0.mixer.conv1d.weight, 1536x1x4, CONVOLUTION",
    "backbone.layers.0.mixer.A_log, 1536x16, OTHER",
    // Multi-token prediction
    "mtp.fc.weight, 2048x4096, MTP",
    "mtp.layers.0.input_layernorm.weight, 2048, MTP",
    "model.mtp.layers.0.mlp.up_proj.weight, 2048x4096, MTP",
    // Odd ones
    "logit_scale, '', OTHER",
    "x.weight, '', OTHER",
    "x.weight, 0x64, OTHER",
    "weight, 64x64, LINEAR"
  })
  void bf16(String name, String shape, TensorRole role) {
    ClassifiedTensor tensor = classifyAlone(tensor(name, DType.BF16, shape));
    assertThat(tensor.role()).isEqualTo(role);
    assertThat(tensor.tensor()).isEqualTo(name);
    assertThat(tensor.reason()).isNotBlank();
  }

  @ParameterizedTest
  @CsvSource({
    "x.weight, F8_E4M3, 64x64",
    "x.weight, I8, 64x64",
    "x.weight, F64, 64x64",
    "x.weight_packed, I32, 64x8",
    "x.weight_scale, BF16, 64x1",
    "model.layers.0.mlp.experts.gate_up_proj_blocks, U8, 32x5760x90x16",
    "model.layers.0.mlp.experts.gate_up_proj_scales, U8, 32x5760x90"
  })
  void whatIsQuantizedAlreadyIsLeftAlone(String name, DType dtype, String shape) {
    assertThat(classifyAlone(tensor(name, dtype, shape)).role()).isEqualTo(TensorRole.OTHER);
  }

  @Test
  void classesForMatching() {
    assertThat(className("model.layers.0.mlp.up_proj.weight", "8x8")).isEqualTo("Linear");
    assertThat(className("model.layers.0.mlp.gate.weight", "8x8")).isEqualTo("Linear");
    assertThat(className("mtp.fc.weight", "8x8")).isEqualTo("Linear");
    assertThat(className("model.embed_tokens.weight", "8x8")).isEqualTo("Embedding");
    assertThat(className("model.norm.weight", "8")).isEmpty();
  }

  @Test
  void gpt2sMatricesAreTransposed() {
    List<TensorSpec> gpt2 =
        List.of(
            tensor("h.0.attn.c_attn.weight", DType.F32, "768x2304"),
            tensor("h.0.attn.c_proj.weight", DType.F32, "768x768"),
            tensor("h.0.mlp.c_fc.weight", DType.F32, "768x3072"),
            tensor("h.0.mlp.c_proj.weight", DType.F32, "3072x768"),
            tensor("h.0.attn.bias", DType.F32, "1x1x1024x1024"),
            tensor("h.0.attn.c_attn.bias", DType.F32, "2304"),
            tensor("h.0.ln_1.weight", DType.F32, "768"),
            tensor("wte.weight", DType.F32, "50257x768"),
            tensor("wpe.weight", DType.F32, "1024x768"));
    assertThat(roles(gpt2))
        .containsExactly(
            TensorRole.CONV1D,
            TensorRole.CONV1D,
            TensorRole.CONV1D,
            TensorRole.CONV1D,
            TensorRole.OTHER,
            TensorRole.BIAS,
            TensorRole.NORM,
            TensorRole.EMBEDDING,
            TensorRole.EMBEDDING);
  }

  @Test
  void theSameNamesElsewhereAreLinear() {
    List<TensorSpec> starcoder =
        List.of(
            tensor("transformer.h.0.attn.c_attn.weight", DType.BF16, "6400x6144"),
            tensor("transformer.h.0.attn.c_proj.weight", DType.BF16, "6144x6144"),
            tensor("transformer.h.0.mlp.c_fc.weight", DType.BF16, "24576x6144"),
            tensor("transformer.h.0.mlp.c_proj.weight", DType.BF16, "6144x24576"));
    assertThat(roles(starcoder)).containsOnly(TensorRole.LINEAR);
    assertThat(classifyAlone(tensor("h.0.attn.c_proj.weight", DType.F32, "8x8")).role())
        .as("without evidence it is left alone")
        .isEqualTo(TensorRole.CONV1D);
  }

  @Test
  void deepSeeksPredictionLayerIsFoundByItsProjection() {
    List<TensorSpec> tensors =
        List.of(
            tensor("model.layers.6.mlp.up_proj.weight", DType.BF16, "8x8"),
            tensor("model.layers.61.mlp.up_proj.weight", DType.BF16, "8x8"),
            tensor("model.layers.61.enorm.weight", DType.BF16, "8"),
            tensor("model.layers.61.eh_proj.weight", DType.BF16, "8x16"));
    assertThat(roles(tensors))
        .containsExactly(TensorRole.LINEAR, TensorRole.MTP, TensorRole.MTP, TensorRole.MTP);
  }

  private static List<TensorRole> roles(List<TensorSpec> tensors) {
    return TensorClassifier.forCheckpoint(tensors).classifyAll(tensors).stream()
        .map(ClassifiedTensor::role)
        .toList();
  }

  private static String className(String name, String shape) {
    return classifyAlone(tensor(name, DType.BF16, shape)).moduleRef().className();
  }

  private static ClassifiedTensor classifyAlone(TensorSpec tensor) {
    return TensorClassifier.forCheckpoint(List.of(tensor)).classify(tensor);
  }

  private static TensorSpec tensor(String name, DType dtype, String shape) {
    long[] sizes =
        shape.isEmpty()
            ? new long[0]
            : Arrays.stream(shape.split("x")).mapToLong(Long::parseLong).toArray();
    return TensorSpec.of(name, dtype, sizes);
  }
}
