package dev.quern.pipeline.model;

import dev.quern.engine.model.Activation;
import dev.quern.engine.model.AttentionSpec;
import dev.quern.engine.model.DecoderSpec;
import dev.quern.engine.model.FeedForwardSpec;
import dev.quern.engine.model.LayerSpec;
import dev.quern.engine.model.LinearSpec;
import dev.quern.engine.model.NormSpec;
import dev.quern.engine.model.ProjectionSpec;
import dev.quern.engine.model.RopeSpec;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.Json;
import dev.quern.pipeline.model.Architecture.Norms;
import dev.quern.pipeline.model.Architecture.Trait;
import dev.quern.pipeline.source.SourceModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/**
 * From config.json and the names of tensors to a {@link DecoderSpec}. What a configuration leaves
 * out has the value that transformers 5.18 gives it.
 *
 * <p>Whether a projection is fused, whether it has a bias, and whether queries and keys are
 * normalised, is read from the tensors that there are; and each tensor of the decoder must have
 * found its place, in the shape that the configuration gives it.
 */
public final class DecoderReader {
  private static final double GEMMA_LOCAL_THETA = 10_000;

  private final Architecture architecture;
  private final Settings config;
  private final Tensors tensors;
  private final String prefix;
  private final int hidden;
  private final int heads;
  private final int keyHeads;
  private final int headSize;
  private final double epsilon;
  private final Activation activation;
  private final LayerTypes types;
  private final RopeReader ropes;

  private DecoderReader(Json.Obj config, SourceModel model) {
    this.config = new Settings(config);
    architecture = Architecture.of(config);
    tensors = new Tensors(config, model);
    prefix = "model.";
    hidden = this.config.size("hidden_size");
    heads = this.config.size("num_attention_heads");
    keyHeads = this.config.size("num_key_value_heads", heads);
    headSize = this.config.size("head_dim", architecture.has(Trait.GEMMA) ? 256 : hidden / heads);
    epsilon = this.config.number("rms_norm_eps", 1e-6);
    activation = activation();
    types = new LayerTypes(architecture, this.config);
    ropes = new RopeReader(this.config, headSize);
    if (heads % keyHeads != 0) {
      throw this.config.wrong(
          "num_key_value_heads", "a divisor of " + heads + " attention heads", "" + keyHeads);
    }
  }

  /**
   * Describes a decoder.
   *
   * @param config config.json
   * @param model the checkpoint's tensors, with experts as single matrices ({@link
   *     SourceModel#withSingleExperts})
   * @throws CheckpointException when the architecture is not known, or configuration and tensors do
   *     not fit each other
   */
  public static DecoderSpec read(Json.Obj config, SourceModel model) {
    return new DecoderReader(config, model).decoder();
  }

  private DecoderSpec decoder() {
    List<LayerSpec> layers = new ArrayList<>();
    for (int i = 0; i < types.layers(); i++) {
      layers.add(layer(i));
    }
    String embedding = prefix + "embed_tokens.weight";
    String head = "lm_head.weight";
    boolean tied = config.is("tie_word_embeddings", !tensors.has(head)) || !tensors.has(head);
    if (!tensors.has(embedding)) {
      embedding = head; // a tied matrix, stored under the head's name
    }
    String headTensor = tied ? embedding : head;
    int vocabulary = tensors.rows(embedding);
    tensors.use(embedding, vocabulary, hidden);
    tensors.use(headTensor, vocabulary, hidden);
    NormSpec norm = tensors.norm(prefix + "norm", hidden, epsilon, architecture.has(Trait.GEMMA));
    tensors.requireAllUsed(prefix, architecture.title());
    boolean gemma = architecture.has(Trait.GEMMA);
    double embeddingMultiplier =
        gemma ? Math.sqrt(hidden) : config.positive("embedding_multiplier", 1);
    return new DecoderSpec(
        vocabulary,
        hidden,
        embedding,
        (float) embeddingMultiplier,
        layers,
        norm,
        "lm_head",
        headTensor,
        (float) (1 / config.positive("logits_scaling", 1)),
        (float) config.number("final_logit_softcapping", 0));
  }

  private LayerSpec layer(int i) {
    String layer = prefix + "layers." + i + ".";
    return new LayerSpec(
        norm(layer + "input_layernorm", architecture.norms() != Norms.AFTER),
        attention(layer + "self_attn.", i),
        norm(layer + "post_attention_layernorm", architecture.norms() != Norms.BEFORE),
        architecture.norms() == Norms.BEFORE
            ? norm(layer + "post_attention_layernorm", true)
            : norm(layer + "pre_feedforward_layernorm", architecture.norms() == Norms.AROUND),
        feedForward(layer, i),
        norm(layer + "post_feedforward_layernorm", architecture.norms() != Norms.BEFORE),
        false,
        (float) config.positive("residual_multiplier", 1));
  }

  private Optional<NormSpec> norm(String name, boolean there) {
    return there
        ? Optional.of(tensors.norm(name, hidden, epsilon, architecture.has(Trait.GEMMA)))
        : Optional.empty();
  }

  private AttentionSpec attention(String module, int i) {
    boolean across = architecture.has(Trait.NORM_ACROSS_HEADS);
    boolean gemma = architecture.has(Trait.GEMMA);
    int queries = heads * headSize;
    int keys = keyHeads * headSize;
    ProjectionSpec projection =
        tensors.has(module + "qkv_proj.weight")
            ? ProjectionSpec.of(tensors.linear(module + "qkv_proj", hidden, queries + 2 * keys))
            : ProjectionSpec.of(
                tensors.linear(module + "q_proj", hidden, queries),
                tensors.linear(module + "k_proj", hidden, keys),
                tensors.linear(module + "v_proj", hidden, keys));
    double scale =
        gemma
            ? 1 / Math.sqrt(config.positive("query_pre_attn_scalar", 256))
            : config.positive("attention_multiplier", 1 / Math.sqrt(headSize));
    return new AttentionSpec(
        module.substring(0, module.length() - 1),
        projection,
        tensors.linear(module + "o_proj", queries, hidden),
        heads,
        keyHeads,
        headSize,
        tensors.optionalNorm(module + "q_norm", across ? queries : headSize, epsilon, gemma),
        tensors.optionalNorm(module + "k_norm", across ? keys : headSize, epsilon, gemma),
        across,
        rope(i),
        (float) scale,
        types.window(i),
        (float) config.number("attn_logit_softcapping", 0));
  }

  private Optional<RopeSpec> rope(int i) {
    if (!types.isRotated(i)) {
      return Optional.empty();
    }
    boolean gemma3 = architecture == Architecture.GEMMA3;
    return Optional.of(
        ropes.read(
            types.isSliding(i),
            gemma3 ? 1_000_000 : 10_000,
            gemma3 ? OptionalDouble.of(GEMMA_LOCAL_THETA) : OptionalDouble.empty()));
  }

  private FeedForwardSpec feedForward(String layer, int i) {
    if (!architecture.has(Trait.EXPERTS) || !types.hasExperts(i)) {
      return gated(layer + "mlp.", config.size("intermediate_size"));
    }
    String mixtral = layer + "block_sparse_moe.";
    boolean isMixtral = tensors.has(mixtral + "gate.weight");
    String module = isMixtral ? mixtral : layer + "mlp.";
    int count = config.size("num_local_experts", config.size("num_experts", 8));
    int inner = config.size("moe_intermediate_size", config.size("intermediate_size"));
    LinearSpec router = tensors.linear(module + "gate", hidden, count);
    List<FeedForwardSpec.Dense> experts =
        IntStream.range(0, count)
            .mapToObj(e -> module + "experts." + e + ".")
            .map(name -> isMixtral ? gated(name, "w1", "w3", "w2", inner) : gated(name, inner))
            .toList();
    int topK = config.size("num_experts_per_tok", 2);
    if (topK > count) {
      throw config.wrong("num_experts_per_tok", "at most " + count, "" + topK);
    }
    boolean normalised = architecture.has(Trait.NORMALISED) || config.is("norm_topk_prob", false);
    return new FeedForwardSpec.Experts(router, experts, topK, normalised, shared(module));
  }

  private Optional<FeedForwardSpec.Shared> shared(String module) {
    String shared = module + "shared_expert.";
    if (!tensors.has(shared + "down_proj.weight")) {
      return Optional.empty();
    }
    FeedForwardSpec.Dense expert = gated(shared, config.size("shared_expert_intermediate_size"));
    LinearSpec gate = tensors.linear(module + "shared_expert_gate", hidden, 1);
    return Optional.of(new FeedForwardSpec.Shared(expert, Optional.of(gate)));
  }

  private FeedForwardSpec.Dense gated(String module, int inner) {
    if (tensors.has(module + "gate_up_proj.weight")) {
      return new FeedForwardSpec.Dense(
          ProjectionSpec.of(tensors.linear(module + "gate_up_proj", hidden, 2 * inner)),
          tensors.linear(module + "down_proj", inner, hidden),
          activation);
    }
    return gated(module, "gate_proj", "up_proj", "down_proj", inner);
  }

  private FeedForwardSpec.Dense gated(
      String module, String gate, String up, String down, int inner) {
    return new FeedForwardSpec.Dense(
        ProjectionSpec.of(
            tensors.linear(module + gate, hidden, inner),
            tensors.linear(module + up, hidden, inner)),
        tensors.linear(module + down, inner, hidden),
        activation);
  }

  /** Gemma's early configurations have both keys, and mean the first. */
  private Activation activation() {
    Json.Obj json = config.json();
    String name =
        json.string("hidden_activation")
            .or(() -> architecture.has(Trait.GEMMA) ? Optional.empty() : json.string("hidden_act"))
            .orElse(architecture.has(Trait.GEMMA) ? "gelu_pytorch_tanh" : "silu");
    return switch (name) {
      case "silu", "swish" -> Activation.SILU;
      case "gelu_pytorch_tanh" -> Activation.GELU_TANH;
      default -> throw config.wrong("hidden_act", "silu or gelu_pytorch_tanh", name);
    };
  }
}
