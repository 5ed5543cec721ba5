package dev.quern.engine.model;

import dev.quern.engine.kernel.DecoderKernels;
import dev.quern.engine.linalg.FloatMatrix;
import java.lang.foreign.MemorySegment;

/** A gated network with its weights. */
final class DenseFeedForward {
  private final Projection gateUp;
  private final Projection down;
  private final Activation activation;

  DenseFeedForward(FeedForwardSpec.Dense spec, Weights weights) {
    gateUp = new Projection(spec.gateUp(), weights);
    down = new Projection(spec.down(), weights);
    activation = spec.activation();
  }

  /** From the input's rows to {@code target}, which is not the input. */
  void apply(
      DecoderWorkspace workspace, FloatMatrix input, LayerObserver observer, FloatMatrix target) {
    int tokens = input.rows();
    int inner = gateUp.outputs() / 2;
    FloatMatrix both = workspace.buffer(DecoderWorkspace.Slot.PROJECTED, tokens, 2 * inner);
    gateUp.apply(workspace, input, observer, both);
    FloatMatrix gated = workspace.buffer(DecoderWorkspace.Slot.GATED, tokens, inner);
    DecoderKernels kernels = workspace.kernels();
    workspace.rows(
        tokens,
        24L * inner,
        row ->
            gate(
                kernels,
                both.data(),
                both.offset(row, 0),
                inner,
                gated.data(),
                gated.offset(row, 0)));
    down.apply(workspace, gated, observer, target);
  }

  private void gate(
      DecoderKernels kernels,
      MemorySegment both,
      long gate,
      int inner,
      MemorySegment target,
      long at) {
    long up = gate + 4L * inner;
    switch (activation) {
      case SILU -> kernels.siluGate(both, gate, both, up, inner, target, at);
      case GELU_TANH -> kernels.geluTanhGate(both, gate, both, up, inner, target, at);
    }
  }
}
