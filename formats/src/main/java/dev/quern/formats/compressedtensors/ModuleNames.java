package dev.quern.formats.compressedtensors;

import java.util.Set;
import java.util.regex.Pattern;

/**
 * The names by which model families call their embeddings, norms, routers and experts.
 *
 * <p>Source: tensor names of published Llama, Mistral, Mixtral, Qwen, Gemma, Phi, Granite, OLMo,
 * DeepSeek, gpt-oss, GPT-2, GPT-NeoX, BLOOM, OPT, Falcon, DBRX and T5 checkpoints.
 */
final class ModuleNames {
  private static final Set<String> EMBEDDINGS =
      Set.of(
          "embed_tokens",
          "embed_tokens_per_layer",
          "wte",
          "wpe",
          "word_embeddings",
          "position_embeddings",
          "token_type_embeddings",
          "tok_embeddings",
          "embed_positions",
          "embed_in",
          "embed",
          "embeddings",
          "embedding",
          "tokens_embed",
          "positions_embed",
          "relative_attention_bias");

  /** T5 and BART keep their only table here, at the top or below {@code model}. */
  private static final String SHARED_TABLE = "shared";

  private static final Set<String> ROUTER_WRAPPERS = Set.of("layer", "proj", "classifier", "wg");
  private static final Set<String> FEED_FORWARD =
      Set.of("mlp", "ffn", "feed_forward", "feedforward", "mixer", "router");

  /** {@code ln_1}, {@code ln_f}, {@code ln1}. */
  private static final Pattern LN = Pattern.compile("ln_?[a-z0-9]*");

  private ModuleNames() {}

  static boolean isEmbedding(ModuleName name) {
    String last = name.last();
    if (last.equals(SHARED_TABLE)) {
      return name.parts().size() == 1 || name.parts().size() == 2 && name.up(1).equals("model");
    }
    return EMBEDDINGS.contains(last) || last.endsWith("_embedding") || last.endsWith("_embeddings");
  }

  static boolean isNorm(ModuleName name) {
    String last = name.last();
    return last.endsWith("norm") || LN.matcher(last).matches();
  }

  /**
   * {@code mlp.gate}, {@code block_sparse_moe.gate}, {@code mlp.router}, {@code router.layer},
   * {@code shared_expert_gate} and the like, but not {@code gate_proj} and not the gate of an
   * attention.
   */
  static boolean isRouter(ModuleName name) {
    String last = name.last();
    String parent = name.up(1);
    if (last.equals("router") || last.equals("shared_expert_gate")) {
      return true;
    }
    if (ROUTER_WRAPPERS.contains(last)) {
      return parent.equals("router") || parent.equals("gate") && isMixtureOrFeedForward(name.up(2));
    }
    return last.equals("gate") && isMixtureOrFeedForward(parent);
  }

  private static boolean isMixtureOrFeedForward(String name) {
    return FEED_FORWARD.contains(name) || name.contains("moe");
  }

  /** Whether a tensor of this name with a dimension for experts holds all of them. */
  static boolean isWithinExperts(ModuleName name) {
    return name.parts().stream().anyMatch(part -> part.equals("experts") || part.contains("moe"));
  }

  /** {@code mtp.*}, {@code model.mtp.*}. */
  static boolean isMultiTokenPrediction(ModuleName name) {
    return name.parts().getFirst().startsWith("mtp")
        || name.parts().size() > 1
            && name.parts().getFirst().equals("model")
            && name.parts().get(1).startsWith("mtp");
  }
}
