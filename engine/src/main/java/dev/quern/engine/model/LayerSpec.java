package dev.quern.engine.model;

import java.util.Optional;

/**
 * One layer of a decoder. With {@code x} the residual stream and {@code m} the multiplier:
 *
 * <pre>
 *   sequential:  x = x + m * attentionOutputNorm(attention(attentionNorm(x)))
 *                x = x + m * feedForwardOutputNorm(feedForward(feedForwardNorm(x)))
 *   parallel:    both read the same x, and are added in this order
 * </pre>
 *
 * @param attentionNorm absent: the stream as it is; so for the others
 * @param parallel whether attention and feed-forward network read the same stream
 * @param residualMultiplier 1 where a model has none
 */
public record LayerSpec(
    Optional<NormSpec> attentionNorm,
    AttentionSpec attention,
    Optional<NormSpec> attentionOutputNorm,
    Optional<NormSpec> feedForwardNorm,
    FeedForwardSpec feedForward,
    Optional<NormSpec> feedForwardOutputNorm,
    boolean parallel,
    float residualMultiplier) {
  /** Columns of the residual stream. */
  public int hidden() {
    return attention.projection().inputs();
  }
}
