package dev.quern.pipeline.calibration;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.linalg.Workspace;
import dev.quern.engine.memory.MemoryBudget;
import dev.quern.engine.memory.NativeMemory;
import dev.quern.engine.memory.Scratch;
import dev.quern.engine.model.DecoderLayer;
import dev.quern.engine.model.DecoderWorkspace;
import dev.quern.engine.model.Embedding;
import dev.quern.engine.model.LayerObserver;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Workers;
import dev.quern.formats.calibration.CalibrationSet;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.safetensors.TensorSpec;
import dev.quern.pipeline.model.MappedWeights;
import dev.quern.pipeline.source.SourceModel;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;

/**
 * The loop of a calibration: one decoder layer at a time. Its weights are mapped, all samples run
 * through it, what its schemes need is collected and solved and handed on, and all samples run
 * through it again with the weights that were stored. Then it is forgotten.
 *
 * <p>Source: llm-compressor (2026-08), {@code pipelines/sequential/pipeline.py}.
 */
public final class CalibrationRun {
  private static final String REPORT = "report";

  private final CalibrationPlan plan;
  private final SourceModel model;
  private final CalibrationSet samples;
  private final boolean propagate;
  private final Kernels kernels;
  private final Workers workers;
  private final Sink sink;
  private final Journal journal;
  private final Scratch sample = new Scratch();
  private final List<SolveReport> solves = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();

  /**
   * @param model the weights, with experts as single matrices
   * @param propagate whether a layer sees what earlier ones compute with their stored weights, at
   *     the price of a second pass; if not, it sees what the source computes
   * @param sink takes what is found, layer after layer
   * @param journal layers that an earlier run has finished, and where this one's are kept
   */
  public CalibrationRun(
      CalibrationPlan plan,
      SourceModel model,
      CalibrationSet samples,
      boolean propagate,
      Kernels kernels,
      Workers workers,
      Sink sink,
      Journal journal) {
    this.plan = plan;
    this.model = model;
    this.samples = samples;
    this.propagate = propagate;
    this.kernels = kernels;
    this.workers = workers;
    this.sink = sink;
    this.journal = journal;
  }

  /**
   * Runs it; once.
   *
   * @param budget for the states of the samples
   * @param spill a file that does not exist, for states that find no memory
   * @param done hears of layers that are done, as bytes of the plain model
   * @throws dev.quern.formats.CheckpointException when weights or activations are not finite
   * @throws IOException when the file cannot be used
   */
  public CalibrationOutcome run(MemoryBudget budget, Path spill, LongConsumer done)
      throws IOException, InterruptedException {
    int[] lengths = IntStream.range(0, samples.size()).map(samples::length).toArray();
    int hidden = plan.decoder().hidden();
    try (DecoderWorkspace workspace = new DecoderWorkspace(kernels, workers);
        ActivationStore states =
            ActivationStore.create(budget, budget.limit(), spill, hidden, lengths)) {
      int first = resume(workspace, states);
      done.accept(model.bytes() / (plan.lastLayer() + 1) * first);
      for (int i = first; i <= plan.lastLayer(); i++) {
        recorded(workspace, states, i);
        done.accept(model.bytes() / (plan.lastLayer() + 1));
      }
      return new CalibrationOutcome(solves, warnings);
    } finally {
      sample.close();
    }
  }

  /** The number of the first layer that has to be computed, its input in the store. */
  private int resume(DecoderWorkspace workspace, ActivationStore states) throws IOException {
    int first = journal.finished();
    if (first == 0) {
      embed(workspace, states);
      return 0;
    }
    journal.replay(
        plan.outputs(),
        sink,
        (key, text) -> {
          if (key.equals(REPORT)) {
            solves.add(SolveReport.ofText(text));
          } else {
            warnings.add(text);
          }
        });
    if (first <= plan.lastLayer()) {
      journal.restore(states);
    }
    return first;
  }

  /** Computes a layer, and makes its results last. */
  private void recorded(DecoderWorkspace workspace, ActivationStore states, int number)
      throws IOException, InterruptedException {
    int reports = solves.size();
    int sentences = warnings.size();
    try (LayerRecord record = journal.begin(number)) {
      layer(
          workspace,
          states,
          number,
          (tensor, bytes) -> {
            sink.write(tensor, bytes);
            record.add(tensor, bytes);
          });
      for (SolveReport report : solves.subList(reports, solves.size())) {
        record.add(REPORT, report.text());
      }
      for (String warning : warnings.subList(sentences, warnings.size())) {
        record.add("warning", warning);
      }
      journal.commit(
          number, record, number < plan.lastLayer() ? Optional.of(states) : Optional.empty());
    }
  }

  private void embed(DecoderWorkspace workspace, ActivationStore states) throws IOException {
    try (MappedWeights weights = new MappedWeights(model, kernels)) {
      Embedding embedding = new Embedding(plan.decoder(), weights);
      for (int i = 0; i < states.samples(); i++) {
        FloatMatrix x = matrix(states.tokens(i));
        embedding.lookUp(workspace, samples.ids(i), x);
        states.write(i, x);
      }
    }
  }

  /** A sample's states while it is worked on, without gaps between rows. */
  private FloatMatrix matrix(int tokens) {
    int hidden = plan.decoder().hidden();
    return FloatMatrix.of(sample.atLeast((long) Float.BYTES * tokens * hidden), tokens, hidden);
  }

  private void layer(DecoderWorkspace workspace, ActivationStore states, int number, Sink found)
      throws IOException, InterruptedException {
    CalibrationPlan.Layer layer = plan.layers().get(number);
    boolean last = number == plan.lastLayer();
    boolean again = propagate && layer.isSolved() && !last;
    try (MappedWeights weights = new MappedWeights(model, kernels);
        Arena arena = Arena.ofShared();
        Workspace products = new Workspace(kernels, workers)) {
      LayerCollector collector = new LayerCollector(arena, products, kernels, layer, plan.cache());
      forward(workspace, states, new DecoderLayer(layer.spec(), weights), collector, !again);
      SolvedWeights stored = new SolvedWeights(weights);
      solve(layer, weights, collector, again, stored, arena, found);
      inputScales(layer, collector, found);
      if (plan.cache().isPresent()) {
        cacheScales(layer, plan.cache().get(), collector, found);
      }
      if (again) {
        DecoderLayer changed = new DecoderLayer(layer.spec(), stored);
        forward(workspace, states, changed, LayerObserver.NONE, true);
      }
    }
  }

  private void forward(
      DecoderWorkspace workspace,
      ActivationStore states,
      DecoderLayer layer,
      LayerObserver observer,
      boolean keep)
      throws IOException {
    for (int i = 0; i < states.samples(); i++) {
      FloatMatrix x = matrix(states.tokens(i));
      states.read(i, x);
      layer.forward(workspace, x, observer);
      if (keep) {
        states.write(i, x);
      }
    }
  }

  private void solve(
      CalibrationPlan.Layer layer,
      MappedWeights weights,
      LayerCollector collector,
      boolean keep,
      SolvedWeights stored,
      Arena arena,
      Sink found)
      throws IOException, InterruptedException {
    LayerSolver solver = new LayerSolver(kernels, workers, weights, layer);
    for (CalibrationPlan.Input input : layer.inputs()) {
      if (!input.needsHessian()) {
        continue;
      }
      solves.addAll(
          solver.solve(
              input,
              collector.hessian(input),
              rows -> {
                rows.write(found);
                if (keep) {
                  stored.put(rows.module().weight().name(), rows.weights(arena, workers));
                }
              }));
      if (!collector.wasReached(input)) {
        warnings.add(
            input.name()
                + ": no token of the samples went through it, so its weights are rounded to"
                + " nearest; give more samples, or others");
      }
    }
  }

  private void inputScales(CalibrationPlan.Layer layer, LayerCollector collector, Sink found)
      throws IOException {
    for (CalibrationPlan.Input input : layer.inputs()) {
      for (CalibratedModule module : input.readers()) {
        if (module.watchesInput()) {
          inputScales(module, collector.range(module), found);
        }
      }
      if (input.needsRange() && !collector.wasReached(input)) {
        warnings.add(
            input.name()
                + ": no token of the samples went through it, so its input scale is that of its"
                + " siblings; give more samples, or others");
      }
    }
  }

  private void inputScales(CalibratedModule module, ValueRange range, Sink found)
      throws IOException {
    QuantizationArgs args = module.scheme().inputActivations().orElseThrow();
    for (TensorSpec output : module.outputs()) {
      switch (module.parameter(output)) {
        case "input_scale" ->
            number(
                found, output, module.type(), ActivationScales.scale(args, module.type(), range));
        case "input_global_scale" ->
            number(found, output, FloatType.F32, ActivationScales.global(module.type(), range));
        case "input_zero_point" -> {
          byte zero = ActivationScales.zeroPoint(args, module.type(), range);
          found.write(output, MemorySegment.ofArray(new byte[] {zero}));
        }
        default -> {}
      }
    }
  }

  private void cacheScales(
      CalibrationPlan.Layer layer, QuantizationArgs args, LayerCollector collector, Sink found)
      throws IOException {
    String attention = layer.spec().attention().name();
    FloatType type = layer.type();
    for (TensorSpec output : layer.cache()) {
      String side = output.name().substring(attention.length() + 1).substring(0, 1);
      ValueRange[] ranges = collector.cache(attention, side);
      float[] scales = new float[ranges.length];
      for (int i = 0; i < scales.length; i++) {
        scales[i] = ActivationScales.scale(args, type, ranges[i]);
      }
      number(found, output, type, scales);
    }
  }

  private void number(Sink found, TensorSpec output, FloatType type, float... values)
      throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = NativeMemory.allocate(arena, output.bytes());
      for (int i = 0; i < values.length; i++) {
        type.store(bytes, (long) i * type.bytes(), values[i]);
      }
      found.write(output, bytes);
    }
  }
}
