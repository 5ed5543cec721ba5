package dev.quern.engine.model;

import dev.quern.engine.kernel.DecoderKernels;
import dev.quern.engine.linalg.FloatMatrix;
import java.util.Optional;

/**
 * One layer with its weights, which are read where they lie. It runs as often as it is asked to,
 * over one sample at a time.
 */
public final class DecoderLayer {
  private interface FeedForward {
    void apply(
        DecoderWorkspace workspace, FloatMatrix input, LayerObserver observer, FloatMatrix target);
  }

  private final LayerSpec spec;
  private final Attention attention;
  private final FeedForward feedForward;
  private final Optional<Norm> attentionNorm;
  private final Optional<Norm> attentionOutputNorm;
  private final Optional<Norm> feedForwardNorm;
  private final Optional<Norm> feedForwardOutputNorm;

  /**
   * Finds the weights. Matrices are kept as they are given, so they must live as long as this.
   *
   * @throws RuntimeException what {@code weights} throws for a tensor that is not there
   */
  public DecoderLayer(LayerSpec spec, Weights weights) {
    this.spec = spec;
    attention = new Attention(spec.attention(), weights);
    feedForward =
        switch (spec.feedForward()) {
          case FeedForwardSpec.Dense dense -> new DenseFeedForward(dense, weights)::apply;
          case FeedForwardSpec.Experts experts -> new ExpertFeedForward(experts, weights)::apply;
        };
    attentionNorm = norm(spec.attentionNorm(), weights);
    attentionOutputNorm = norm(spec.attentionOutputNorm(), weights);
    feedForwardNorm = norm(spec.feedForwardNorm(), weights);
    feedForwardOutputNorm = norm(spec.feedForwardOutputNorm(), weights);
  }

  private Optional<Norm> norm(Optional<NormSpec> norm, Weights weights) {
    return norm.map(n -> new Norm(n, spec.hidden(), weights));
  }

  /**
   * Runs the layer over one sample, in place.
   *
   * @param x the residual stream, [tokens, hidden]: row i is position i
   * @param observer sees the inputs of linear layers, keys and values
   */
  public void forward(DecoderWorkspace workspace, FloatMatrix x, LayerObserver observer) {
    forward(workspace, x, observer, Optional.empty());
  }

  /**
   * Runs the layer over the next tokens of a sequence, in place.
   *
   * @param x the residual stream, [tokens, hidden]: row i is position {@code cache.tokens() + i}
   * @param observer sees the inputs of linear layers, keys and values, of these tokens alone
   * @param cache has what came before, and takes these
   * @param index of this layer
   * @throws IllegalArgumentException when the cache cannot take them; see {@link
   *     KeyValueCache#continuesTo}
   */
  public void forward(
      DecoderWorkspace workspace,
      FloatMatrix x,
      LayerObserver observer,
      KeyValueCache cache,
      int index) {
    forward(workspace, x, observer, Optional.of(cache.layer(index)));
  }

  private void forward(
      DecoderWorkspace workspace,
      FloatMatrix x,
      LayerObserver observer,
      Optional<LayerCache> cache) {
    Checks.require(
        x.columns() == spec.hidden(),
        spec.attention().name(),
        "the width of the stream",
        Integer.toString(spec.hidden()),
        x.columns());
    if (x.rows() == 0) {
      return;
    }
    FloatMatrix attended = workspace.buffer(DecoderWorkspace.Slot.OUTPUT, x.rows(), spec.hidden());
    FloatMatrix input = input(workspace, attentionNorm, x);
    if (spec.parallel()) {
      // Attention's input may be changed by an observer, and the stream by attention; so the other
      // branch's input is taken first.
      FloatMatrix kept = workspace.copy(DecoderWorkspace.Slot.PARALLEL_INPUT, x);
      attention.apply(workspace, input, observer, cache, attended);
      add(workspace, attentionOutputNorm, attended, x);
      feedForward.apply(workspace, input(workspace, feedForwardNorm, kept), observer, attended);
      add(workspace, feedForwardOutputNorm, attended, x);
      return;
    }
    attention.apply(workspace, input, observer, cache, attended);
    add(workspace, attentionOutputNorm, attended, x);
    feedForward.apply(workspace, input(workspace, feedForwardNorm, x), observer, attended);
    add(workspace, feedForwardOutputNorm, attended, x);
  }

  /** What a branch reads: a copy in any case, since an observer may write to it. */
  private FloatMatrix input(DecoderWorkspace workspace, Optional<Norm> norm, FloatMatrix x) {
    if (norm.isEmpty()) {
      return workspace.copy(DecoderWorkspace.Slot.NORMED, x);
    }
    FloatMatrix input = workspace.buffer(DecoderWorkspace.Slot.NORMED, x.rows(), x.columns());
    norm.get().apply(workspace, x, input);
    return input;
  }

  /** Adds a branch's output to the stream. */
  private void add(
      DecoderWorkspace workspace, Optional<Norm> norm, FloatMatrix branch, FloatMatrix x) {
    norm.ifPresent(n -> n.apply(workspace, branch, branch));
    DecoderKernels kernels = workspace.kernels();
    workspace.rows(
        x.rows(),
        2L * x.columns(),
        row ->
            kernels.add(
                branch.data(),
                branch.offset(row, 0),
                x.columns(),
                spec.residualMultiplier(),
                x.data(),
                x.offset(row, 0)));
  }
}
