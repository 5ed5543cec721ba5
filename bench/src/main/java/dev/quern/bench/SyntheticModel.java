package dev.quern.bench;

import dev.quern.engine.numeric.DType;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonWriter;
import dev.quern.formats.safetensors.ShardPlan;
import dev.quern.formats.safetensors.TensorOrder;
import dev.quern.formats.safetensors.TensorSpec;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The shape of a Llama model in bf16 with untied embeddings.
 *
 * @param hidden width of the residual stream, a multiple of 64
 * @param intermediate width of the MLP
 * @param vocabulary rows of embeddings and lm_head
 * @param layers decoder layers
 */
record SyntheticModel(int hidden, int intermediate, int vocabulary, int layers) {
  private static final int HEAD = 64;

  SyntheticModel {
    if (hidden < HEAD || hidden % HEAD != 0 || intermediate < 1 || vocabulary < 1 || layers < 1) {
      throw new IllegalArgumentException(
          "hidden "
              + hidden
              + ", intermediate "
              + intermediate
              + ", vocabulary "
              + vocabulary
              + ", layers "
              + layers
              + ": expected hidden to be a multiple of 64, and all at least 1");
    }
  }

  /** As many layers as come nearest to a size in bytes, and at least one. */
  static SyntheticModel ofSize(long bytes, int hidden, int intermediate, int vocabulary) {
    long one = new SyntheticModel(hidden, intermediate, vocabulary, 1).bytes();
    long layer = new SyntheticModel(hidden, intermediate, vocabulary, 2).bytes() - one;
    long layers = 1 + Math.max(0, Math.floorDiv(bytes - one + layer / 2, layer));
    return new SyntheticModel(hidden, intermediate, vocabulary, Math.toIntExact(layers));
  }

  private int heads() {
    return hidden / HEAD;
  }

  /** Grouped-query attention, eight heads to a key as far as that divides. */
  private int keyHeads() {
    return heads() % 8 == 0 ? heads() / 8 : heads();
  }

  /** All tensors in the order of the model. */
  List<TensorSpec> tensors() {
    List<TensorSpec> tensors = new ArrayList<>();
    tensors.add(bf16("model.embed_tokens.weight", vocabulary, hidden));
    for (int i = 0; i < layers; i++) {
      String layer = "model.layers." + i + ".";
      int keys = keyHeads() * HEAD;
      tensors.add(bf16(layer + "input_layernorm.weight", hidden));
      tensors.add(bf16(layer + "self_attn.q_proj.weight", hidden, hidden));
      tensors.add(bf16(layer + "self_attn.k_proj.weight", keys, hidden));
      tensors.add(bf16(layer + "self_attn.v_proj.weight", keys, hidden));
      tensors.add(bf16(layer + "self_attn.o_proj.weight", hidden, hidden));
      tensors.add(bf16(layer + "post_attention_layernorm.weight", hidden));
      tensors.add(bf16(layer + "mlp.gate_proj.weight", intermediate, hidden));
      tensors.add(bf16(layer + "mlp.up_proj.weight", intermediate, hidden));
      tensors.add(bf16(layer + "mlp.down_proj.weight", hidden, intermediate));
    }
    tensors.add(bf16("model.norm.weight", hidden));
    tensors.add(bf16("lm_head.weight", vocabulary, hidden));
    tensors.sort(Comparator.comparing(TensorSpec::name, TensorOrder.model()));
    return tensors;
  }

  private static TensorSpec bf16(String name, long... shape) {
    return TensorSpec.of(name, DType.BF16, shape);
  }

  long bytes() {
    return tensors().stream().mapToLong(TensorSpec::bytes).sum();
  }

  /**
   * The tensors in a given number of files, about equally full.
   *
   * @throws IllegalArgumentException when no limit of a shard's size gives that number
   */
  ShardPlan shards(int count) {
    List<List<TensorSpec>> units = tensors().stream().map(List::of).toList();
    long bytes = bytes();
    long step = Math.max(1, bytes / 1000);
    for (long limit = Math.ceilDiv(bytes, count); limit <= bytes + step; limit += step) {
      ShardPlan plan = ShardPlan.of(units, limit);
      if (plan.shards().size() == count) {
        return plan;
      }
    }
    throw new IllegalArgumentException(
        units.size() + " tensors cannot be put into " + count + " shards of about equal size");
  }

  /** The document {@code config.json}. */
  String config() {
    Json config =
        Json.Obj.empty()
            .with("architectures", Json.of(List.of(Json.of("LlamaForCausalLM"))))
            .with("attention_bias", Json.of(false))
            .with("attention_dropout", Json.of(0.0))
            .with("bos_token_id", Json.of(1))
            .with("dtype", Json.of("bfloat16"))
            .with("eos_token_id", Json.of(2))
            .with("head_dim", Json.of(HEAD))
            .with("hidden_act", Json.of("silu"))
            .with("hidden_size", Json.of(hidden))
            .with("initializer_range", Json.of(0.02))
            .with("intermediate_size", Json.of(intermediate))
            .with("max_position_embeddings", Json.of(2048))
            .with("mlp_bias", Json.of(false))
            .with("model_type", Json.of("llama"))
            .with("num_attention_heads", Json.of(heads()))
            .with("num_hidden_layers", Json.of(layers))
            .with("num_key_value_heads", Json.of(keyHeads()))
            .with("rms_norm_eps", Json.of(1e-5))
            .with("rope_theta", Json.of(10000.0))
            .with("tie_word_embeddings", Json.of(false))
            .with("torch_dtype", Json.of("bfloat16"))
            .with("use_cache", Json.of(true))
            .with("vocab_size", Json.of(vocabulary));
    return JsonWriter.pretty(config) + "\n";
  }
}
