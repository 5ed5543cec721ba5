package dev.quern.pipeline.evaluation;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.memory.Scratch;
import dev.quern.engine.model.DecoderLayer;
import dev.quern.engine.model.DecoderWorkspace;
import dev.quern.engine.model.Embedding;
import dev.quern.engine.model.LayerObserver;
import dev.quern.engine.model.LayerSpec;
import dev.quern.engine.parallel.Workers;
import dev.quern.pipeline.calibration.ActivationStore;
import dev.quern.pipeline.model.DecoderModel;
import dev.quern.pipeline.model.MappedWeights;
import java.io.IOException;
import java.util.List;
import java.util.function.LongConsumer;

/** One model that goes over windows, layer by layer: each layer's weights are mapped once. */
final class ModelRun implements AutoCloseable {
  private final DecoderModel model;
  private final RoundedActivations observer;
  private final Kernels kernels;
  private final DecoderWorkspace workspace;
  private final Scratch scratch = new Scratch();

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

  /**
   * From ids to what the last layer leaves.
   *
   * @param store where the states of the windows are between two layers, and at the end
   * @param done hears of weights that a window has gone through, in bytes of the plain model
   */
  void run(List<int[]> windows, ActivationStore store, LongConsumer done) throws IOException {
    try (MappedWeights weights = map()) {
      Embedding embedding = new Embedding(model.spec(), weights);
      for (int i = 0; i < windows.size(); i++) {
        FloatMatrix x = state(windows.get(i).length);
        embedding.lookUp(workspace, windows.get(i), x);
        store.write(i, x);
      }
    }
    long share = layerBytes();
    for (LayerSpec spec : model.spec().layers()) {
      try (MappedWeights weights = map()) {
        DecoderLayer layer = new DecoderLayer(spec, weights);
        for (int i = 0; i < windows.size(); i++) {
          FloatMatrix x = read(store, i);
          layer.forward(workspace, x, observer);
          store.write(i, x);
          done.accept(share);
        }
      }
    }
  }

  /** One window's state, until the next is read. */
  FloatMatrix read(ActivationStore store, int window) throws IOException {
    FloatMatrix x = state(store.tokens(window));
    store.read(window, x);
    return x;
  }

  private FloatMatrix state(int tokens) {
    int hidden = model.spec().hidden();
    int stride = Math.toIntExact(FloatMatrix.bytes(1, hidden) / Float.BYTES);
    return new FloatMatrix(
        scratch.atLeast(FloatMatrix.bytes(tokens, hidden)), tokens, hidden, stride);
  }

  /** What a window's way through one layer counts as: the head is one, too. */
  long layerBytes() {
    return model.weights().bytes() / (model.spec().layers().size() + 1);
  }

  @Override
  public void close() {
    observer.close();
    workspace.close();
    scratch.close();
  }
}
