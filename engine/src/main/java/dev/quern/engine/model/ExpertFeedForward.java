package dev.quern.engine.model;

import dev.quern.engine.kernel.DecoderKernels;
import dev.quern.engine.kernel.DecoderMath;
import dev.quern.engine.linalg.FloatMatrix;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** A mixture of experts with its weights: each expert runs once, on all tokens that chose it. */
final class ExpertFeedForward {
  private final FeedForwardSpec.Experts spec;
  private final Projection router;
  private final List<DenseFeedForward> experts;
  private final Optional<DenseFeedForward> shared;
  private final Optional<Projection> sharedGate;

  ExpertFeedForward(FeedForwardSpec.Experts spec, Weights weights) {
    this.spec = spec;
    router = new Projection(spec.router(), weights);
    experts = spec.experts().stream().map(e -> new DenseFeedForward(e, weights)).toList();
    shared = spec.shared().map(s -> new DenseFeedForward(s.expert(), weights));
    sharedGate =
        spec.shared()
            .flatMap(FeedForwardSpec.Shared::gate)
            .map(gate -> new Projection(gate, weights));
  }

  /** From the input's rows to {@code target}, which is not the input. */
  void apply(
      DecoderWorkspace workspace, FloatMatrix input, LayerObserver observer, FloatMatrix target) {
    int tokens = input.rows();
    DecoderKernels kernels = workspace.kernels();
    FloatMatrix logits = workspace.buffer(DecoderWorkspace.Slot.ROUTER, tokens, experts.size());
    // Routers and experts read the same values; each has a copy that an observer may change.
    router.apply(
        workspace, workspace.copy(DecoderWorkspace.Slot.EXPERT_INPUT, input), observer, logits);
    Routing routing = Routing.of(kernels, logits, spec.topK(), spec.normalised());
    for (int row = 0; row < tokens; row++) {
      target.data().asSlice(target.offset(row, 0), 4L * target.columns()).fill((byte) 0);
    }
    for (int e = 0; e < experts.size(); e++) {
      int[] rows = routing.tokens(e);
      if (rows.length > 0) {
        expert(workspace, e, rows, routing.weights(e), input, observer, target);
      }
    }
    shared.ifPresent(
        expert -> {
          float[] weights = sharedWeights(workspace, input, observer);
          FloatMatrix output =
              workspace.buffer(DecoderWorkspace.Slot.EXPERT_OUTPUT, tokens, target.columns());
          FloatMatrix own = workspace.copy(DecoderWorkspace.Slot.EXPERT_INPUT, input);
          expert.apply(workspace, own, observer, output);
          for (int row = 0; row < tokens; row++) {
            kernels.add(
                output.data(),
                output.offset(row, 0),
                target.columns(),
                weights[row],
                target.data(),
                target.offset(row, 0));
          }
        });
  }

  private void expert(
      DecoderWorkspace workspace,
      int e,
      int[] rows,
      float[] weights,
      FloatMatrix input,
      LayerObserver observer,
      FloatMatrix target) {
    FloatMatrix chosen =
        workspace.buffer(DecoderWorkspace.Slot.EXPERT_INPUT, rows.length, input.columns());
    for (int i = 0; i < rows.length; i++) {
      chosen
          .data()
          .asSlice(chosen.offset(i, 0), 4L * input.columns())
          .copyFrom(input.data().asSlice(input.offset(rows[i], 0), 4L * input.columns()));
    }
    FloatMatrix output =
        workspace.buffer(DecoderWorkspace.Slot.EXPERT_OUTPUT, rows.length, target.columns());
    experts.get(e).apply(workspace, chosen, observer, output);
    DecoderKernels kernels = workspace.kernels();
    for (int i = 0; i < rows.length; i++) {
      kernels.add(
          output.data(),
          output.offset(i, 0),
          target.columns(),
          weights[i],
          target.data(),
          target.offset(rows[i], 0));
    }
  }

  private float[] sharedWeights(
      DecoderWorkspace workspace, FloatMatrix input, LayerObserver observer) {
    float[] weights = new float[input.rows()];
    Arrays.fill(weights, 1);
    sharedGate.ifPresent(
        gate -> {
          FloatMatrix logits = workspace.buffer(DecoderWorkspace.Slot.ROUTER, input.rows(), 1);
          FloatMatrix own = workspace.copy(DecoderWorkspace.Slot.EXPERT_INPUT, input);
          gate.apply(workspace, own, observer, logits);
          for (int row = 0; row < weights.length; row++) {
            weights[row] = DecoderMath.sigmoid(logits.get(row, 0));
          }
        });
    return weights;
  }
}
