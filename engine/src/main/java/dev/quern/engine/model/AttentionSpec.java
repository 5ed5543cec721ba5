package dev.quern.engine.model;

import java.util.Optional;

/**
 * Causal attention with grouped queries: query head h reads key and value head {@code h / (heads /
 * keyHeads)}, and token i sees itself and what came before it.
 *
 * @param name of the module, such as {@code model.layers.0.self_attn}
 * @param projection queries, keys and values, side by side: {@code (heads + 2 keyHeads) * headSize}
 *     outputs
 * @param output from {@code heads * headSize} to the hidden size
 * @param heads of queries
 * @param keyHeads of keys and of values; divides {@code heads}
 * @param headSize elements of each head
 * @param queryNorm of {@code headSize} elements for each head alone, or of all heads' elements
 *     together, by {@code normAcrossHeads}
 * @param keyNorm the same for keys
 * @param normAcrossHeads whether the norms take all heads together, as OLMo 2 has it
 * @param rope absent where positions are not encoded
 * @param scale what scores are multiplied with, by way of the queries
 * @param window how many tokens each sees, itself included; 0 for all
 * @param softCap the bound of {@code cap * tanh(score / cap)}; 0 for none
 */
public record AttentionSpec(
    String name,
    ProjectionSpec projection,
    LinearSpec output,
    int heads,
    int keyHeads,
    int headSize,
    Optional<NormSpec> queryNorm,
    Optional<NormSpec> keyNorm,
    boolean normAcrossHeads,
    Optional<RopeSpec> rope,
    float scale,
    int window,
    float softCap) {
  /** Checks that sizes fit each other. */
  public AttentionSpec {
    String where = name;
    Checks.require(headSize > 0, where, "the size of a head", "at least 1", headSize);
    Checks.require(
        keyHeads > 0 && heads > 0 && heads % keyHeads == 0,
        where,
        "the number of query heads, " + heads + ",",
        "a multiple of that of key heads",
        keyHeads);
    Checks.require(window >= 0, where, "the window", "at least 0", window);
    Checks.require(softCap >= 0, where, "the soft cap", "at least 0", softCap);
    int outputs = (heads + 2 * keyHeads) * headSize;
    Checks.require(
        projection.outputs() == outputs,
        projection.names().toString(),
        "the number of outputs of queries, keys and values",
        Integer.toString(outputs),
        projection.outputs());
    Checks.require(
        output.inputs() == heads * headSize,
        where,
        "the number of inputs",
        Integer.toString(heads * headSize),
        output.inputs());
    if (rope.isPresent()) {
      int dims = rope.get().dims();
      Checks.require(
          dims <= headSize, where, "the number of rotated dimensions", "at most " + headSize, dims);
    }
  }
}
