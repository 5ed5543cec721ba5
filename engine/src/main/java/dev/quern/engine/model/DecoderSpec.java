package dev.quern.engine.model;

import java.util.List;
import java.util.Locale;

/**
 * A decoder, described by data: what it computes, and under which names its weights are found.
 *
 * @param vocabulary rows of the embedding and of the head
 * @param hidden columns of the residual stream
 * @param embedding the tensor [vocabulary, hidden] that ids are looked up in
 * @param embeddingMultiplier what its rows are multiplied with
 * @param layers in their order
 * @param norm before the head
 * @param head the module, or where it is tied the embedding's tensor under its name
 * @param headTensor the tensor [vocabulary, hidden] of the head; the embedding's where it is tied
 * @param logitMultiplier what logits are multiplied with
 * @param logitSoftCap the bound of {@code cap * tanh(logit / cap)}; 0 for none
 */
public record DecoderSpec(
    int vocabulary,
    int hidden,
    String embedding,
    float embeddingMultiplier,
    List<LayerSpec> layers,
    NormSpec norm,
    String head,
    String headTensor,
    float logitMultiplier,
    float logitSoftCap) {
  /** Checks that the layers fit each other. */
  public DecoderSpec {
    layers = List.copyOf(layers);
    Checks.require(vocabulary > 0, embedding, "the size of the vocabulary", "positive", vocabulary);
    Checks.require(logitSoftCap >= 0, head, "the soft cap", "at least 0", logitSoftCap);
    for (int i = 0; i < layers.size(); i++) {
      LayerSpec layer = layers.get(i);
      String where = String.format(Locale.ROOT, "layer %d", i);
      Checks.require(
          layer.hidden() == hidden, where, "its width", Integer.toString(hidden), layer.hidden());
      int out = layer.attention().output().outputs();
      Checks.require(out == hidden, where, "the output of attention", "" + hidden, out);
    }
  }
}
