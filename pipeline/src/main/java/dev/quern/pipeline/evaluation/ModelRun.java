package dev.quern.pipeline.evaluation;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.model.DecoderLayer;
import dev.quern.engine.model.DecoderWorkspace;
import dev.quern.engine.model.Embedding;
import dev.quern.engine.model.LayerObserver;
import dev.quern.engine.model.LayerSpec;
import dev.quern.engine.parallel.Workers;
import dev.quern.pipeline.model.DecoderModel;
import dev.quern.pipeline.model.MappedWeights;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.function.LongConsumer;

/** One model that goes over windows, layer by layer: each layer's weights are mapped once. */
final class ModelRun implements AutoCloseable {
  private final DecoderModel model;
  private final RoundedActivations observer;
  private final Kernels kernels;
  private final DecoderWorkspace workspace;

  /**
   * @param rules how activations are rounded
   */
  ModelRun(DecoderModel model, ActivationRules rules, Kernels kernels, Workers workers) {
    this.model = model;
    this.observer = new RoundedActivations(rules, kernels, workers);
    this.kernels = kernels;
    this.workspace = new DecoderWorkspace(kernels, workers);
  }

  DecoderModel model() {
    return model;
  }

  LayerObserver observer() {
    return observer;
  }

  DecoderWorkspace workspace() {
    return workspace;
  }

  MappedWeights map() {
    return model.map(kernels);
  }

  /** Bytes of one window's activations between two layers. */
  long stateBytes(int tokens) {
    return FloatMatrix.bytes(tokens, model.spec().hidden());
  }

  /**
   * From ids to what the last layer leaves.
   *
   * @param arena where the states live
   * @param done hears of weights that a window has gone through, in bytes of the plain model
   * @return a matrix [tokens, hidden] for each window
   */
  List<FloatMatrix> states(List<int[]> windows, Arena arena, LongConsumer done) {
    List<FloatMatrix> states =
        windows.stream()
            .map(ids -> FloatMatrix.allocate(arena, ids.length, model.spec().hidden()))
            .toList();
    try (MappedWeights weights = map()) {
      Embedding embedding = new Embedding(model.spec(), weights);
      for (int i = 0; i < states.size(); i++) {
        embedding.lookUp(workspace, windows.get(i), states.get(i));
      }
    }
    long share = layerBytes();
    for (LayerSpec spec : model.spec().layers()) {
      try (MappedWeights weights = map()) {
        DecoderLayer layer = new DecoderLayer(spec, weights);
        for (FloatMatrix state : states) {
          layer.forward(workspace, state, observer);
          done.accept(share);
        }
      }
    }
    return states;
  }

  /** What a window's way through one layer counts as: the head is one, too. */
  long layerBytes() {
    return model.weights().bytes() / (model.spec().layers().size() + 1);
  }

  @Override
  public void close() {
    observer.close();
    workspace.close();
  }
}
