package dev.quern.pipeline.calibration;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.memory.Scratch;
import dev.quern.engine.model.DecoderLayer;
import dev.quern.engine.model.DecoderWorkspace;
import dev.quern.engine.model.Embedding;
import dev.quern.engine.model.LayerObserver;
import dev.quern.engine.model.LayerSpec;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Workers;
import dev.quern.engine.solver.Hessian;
import dev.quern.engine.solver.LayerError;
import dev.quern.formats.calibration.CalibrationData;
import dev.quern.formats.calibration.CalibrationOptions;
import dev.quern.formats.calibration.CalibrationSet;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.text.TextEncoder;
import dev.quern.pipeline.model.DecoderModel;
import dev.quern.pipeline.model.MappedWeights;
import dev.quern.pipeline.source.SourceModel;
import dev.quern.pipeline.source.SourceWeight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What the quantized weights of a checkpoint cost, by Hessians of its source. */
final class LayerErrors {
  private LayerErrors() {}

  /**
   * The sum of {@code tr(dW H dWᵀ)} over all linear layers, each in units of {@code tr(W H Wᵀ)}.
   */
  static double sum(Path source, Path tokens, Path compressed) throws Exception {
    Kernels kernels = Kernels.best();
    double sum = 0;
    try (DecoderModel model = DecoderModel.open(source);
        HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(compressed);
        TextEncoder encoder = TextEncoder.of(source);
        Workers workers = new Workers(1);
        Arena arena = Arena.ofShared()) {
      CalibrationSet samples =
          CalibrationData.read(
              tokens, encoder, model.spec().vocabulary(), CalibrationOptions.defaults());
      Map<String, Hessian> hessians = hessians(model, samples, kernels, workers, arena);
      SourceModel decoded = SourceModel.open(checkpoint);
      for (Map.Entry<String, Hessian> entry : hessians.entrySet()) {
        SourceWeight was = model.weights().find(entry.getKey() + ".weight").orElseThrow();
        SourceWeight is = decoded.find(entry.getKey() + ".weight").orElseThrow();
        double change =
            LayerError.of(kernels, workers, difference(arena, was, is, 1), entry.getValue());
        double whole =
            LayerError.of(kernels, workers, difference(arena, was, is, 0), entry.getValue());
        sum += change / whole;
      }
    }
    return sum;
  }

  private static Map<String, Hessian> hessians(
      DecoderModel model, CalibrationSet samples, Kernels kernels, Workers workers, Arena arena) {
    Map<String, FloatMatrix> inputs = new HashMap<>();
    int[] done = new int[1];
    int tokens = (int) samples.tokens();
    LayerObserver observer =
        new LayerObserver() {
          @Override
          public void input(List<String> linears, FloatMatrix input) {
            for (String name : linears) {
              FloatMatrix all =
                  inputs.computeIfAbsent(
                      name, _ -> FloatMatrix.allocate(arena, tokens, input.columns()));
              for (int r = 0; r < input.rows(); r++) {
                for (int c = 0; c < input.columns(); c++) {
                  all.set(done[0] + r, c, input.get(r, c));
                }
              }
            }
          }
        };
    try (DecoderWorkspace workspace = new DecoderWorkspace(kernels, workers);
        MappedWeights weights = model.map(kernels)) {
      for (int i = 0; i < samples.size(); i++) {
        FloatMatrix x = FloatMatrix.allocate(arena, samples.length(i), model.spec().hidden());
        new Embedding(model.spec(), weights).lookUp(workspace, samples.ids(i), x);
        for (LayerSpec layer : model.spec().layers()) {
          new DecoderLayer(layer, weights).forward(workspace, x, observer);
        }
        done[0] += samples.length(i);
      }
    }
    Map<String, Hessian> hessians = new HashMap<>();
    inputs.forEach(
        (name, input) ->
            hessians.put(name, Hessian.ofActivations(arena, kernels, workers, input.operand())));
    return hessians;
  }

  /** {@code factor * is - was}. */
  private static FloatMatrix difference(
      Arena arena, SourceWeight was, SourceWeight is, float factor) {
    FloatMatrix change = FloatMatrix.allocate(arena, was.rows(), was.cols());
    try (Scratch one = new Scratch();
        Scratch other = new Scratch()) {
      MemorySegment a = was.read(Kernels.best(), 0, was.spec().bytes(), arena, one);
      MemorySegment b = is.read(Kernels.best(), 0, is.spec().bytes(), arena, other);
      FloatType type = was.type();
      for (int r = 0; r < was.rows(); r++) {
        for (int c = 0; c < was.cols(); c++) {
          long at = ((long) r * was.cols() + c) * type.bytes();
          change.set(r, c, factor * is.type().load(b, at) - type.load(a, at));
        }
      }
    }
    return change;
  }
}
