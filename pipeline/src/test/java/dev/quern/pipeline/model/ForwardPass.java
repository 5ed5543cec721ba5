package dev.quern.pipeline.model;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.model.DecoderLayer;
import dev.quern.engine.model.DecoderSpec;
import dev.quern.engine.model.DecoderWorkspace;
import dev.quern.engine.model.Embedding;
import dev.quern.engine.model.Head;
import dev.quern.engine.model.LayerObserver;
import dev.quern.engine.model.LayerSpec;
import dev.quern.engine.parallel.Workers;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.json.Json;
import dev.quern.pipeline.source.SourceModel;
import java.lang.foreign.Arena;
import java.nio.file.Path;

/** A whole forward pass from a folder, as calibration and evaluation put it together. */
final class ForwardPass {
  private ForwardPass() {}

  static float[][] logits(Path folder, Kernels kernels, int threads, int[] ids) {
    return logits(folder, kernels, threads, ids, LayerObserver.NONE);
  }

  /** The logits of every token. */
  static float[][] logits(
      Path folder, Kernels kernels, int threads, int[] ids, LayerObserver observer) {
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(folder)) {
      return logits(checkpoint, checkpoint.config(), kernels, threads, ids, observer);
    }
  }

  static float[][] logits(
      HuggingFaceCheckpoint checkpoint,
      Json.Obj config,
      Kernels kernels,
      int threads,
      int[] ids,
      LayerObserver observer) {
    SourceModel model = SourceModel.open(checkpoint).withSingleExperts(config, _ -> true);
    DecoderSpec spec = DecoderReader.read(config, model);
    float[][] result = new float[ids.length][spec.vocabulary()];
    try (Arena arena = Arena.ofShared();
        Workers workers = new Workers(threads);
        DecoderWorkspace workspace = new DecoderWorkspace(kernels, workers)) {
      FloatMatrix x = FloatMatrix.allocate(arena, ids.length, spec.hidden());
      try (MappedWeights weights = new MappedWeights(model, kernels)) {
        new Embedding(spec, weights).lookUp(workspace, ids, x);
      }
      for (LayerSpec layer : spec.layers()) {
        try (MappedWeights weights = new MappedWeights(model, kernels)) {
          new DecoderLayer(layer, weights).forward(workspace, x, observer);
        }
      }
      try (MappedWeights weights = new MappedWeights(model, kernels)) {
        new Head(spec, weights)
            .logits(
                workspace,
                x,
                observer,
                (first, logits) -> {
                  for (int row = 0; row < logits.rows(); row++) {
                    for (int column = 0; column < logits.columns(); column++) {
                      result[first + row][column] = logits.get(row, column);
                    }
                  }
                });
      }
    }
    return result;
  }
}
