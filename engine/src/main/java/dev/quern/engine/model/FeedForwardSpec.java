package dev.quern.engine.model;

import java.util.List;
import java.util.Optional;

/**
 * What follows attention in a layer: one gated network, or experts of which each token takes few.
 */
public sealed interface FeedForwardSpec {
  /**
   * {@code down(activation(gate(x)) * up(x))}.
   *
   * @param gateUp gate and up side by side, {@code 2 * down.inputs()} outputs
   */
  record Dense(ProjectionSpec gateUp, LinearSpec down, Activation activation)
      implements FeedForwardSpec {
    /** Checks that sizes fit each other. */
    public Dense {
      Checks.require(
          gateUp.outputs() == 2 * down.inputs(),
          gateUp.names().toString(),
          "the number of outputs of gate and up",
          Integer.toString(2 * down.inputs()),
          gateUp.outputs());
    }
  }

  /**
   * A mixture of experts. A token's experts are those of its largest router logits, the first of
   * equal ones; their weights are the softmax over all logits. Outputs are added in the order of
   * the experts.
   *
   * @param router from the hidden size to the number of experts
   * @param experts one for each output of the router
   * @param topK how many a token takes
   * @param normalised whether the weights of these are divided by their sum
   * @param shared what every token takes beside them
   */
  record Experts(
      LinearSpec router, List<Dense> experts, int topK, boolean normalised, Optional<Shared> shared)
      implements FeedForwardSpec {
    /** Checks that sizes fit each other. */
    public Experts {
      experts = List.copyOf(experts);
      Checks.require(
          experts.size() == router.outputs(),
          router.name(),
          "the number of outputs",
          "that of the experts, " + experts.size(),
          router.outputs());
      Checks.require(
          topK > 0 && topK <= experts.size(),
          router.name(),
          "the number of experts of a token",
          "between 1 and " + experts.size(),
          topK);
    }
  }

  /**
   * An expert that every token takes.
   *
   * @param gate from the hidden size to one output, whose sigmoid is the expert's weight; 1 without
   */
  record Shared(Dense expert, Optional<LinearSpec> gate) {}
}
