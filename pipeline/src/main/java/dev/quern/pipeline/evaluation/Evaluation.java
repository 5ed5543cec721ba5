package dev.quern.pipeline.evaluation;

import dev.quern.engine.evaluation.LogitScores;
import dev.quern.engine.evaluation.WindowMean;
import dev.quern.engine.kernel.KernelChoice;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.memory.MemoryBudget;
import dev.quern.engine.model.Head;
import dev.quern.engine.parallel.Workers;
import dev.quern.formats.CheckpointException;
import dev.quern.pipeline.calibration.ActivationStore;
import dev.quern.pipeline.model.DecoderModel;
import dev.quern.pipeline.model.MappedWeights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;

/** One model, or a model and its source, over windows of text. */
public final class Evaluation implements AutoCloseable {
  // Compiling the vector loops takes about a second, in which the plain ones do about this much.
  private static final double WORTH_VECTORS = 5e9;

  /** A model, and how its activations are rounded. */
  public static final class Subject {
    private final DecoderModel model;
    private final ActivationRules rules;

    private Subject(DecoderModel model, ActivationRules rules) {
      this.model = model;
      this.rules = rules;
    }

    /**
     * A model whose activations are rounded as its configuration says.
     *
     * @throws CheckpointException when it says what cannot be done
     */
    public static Subject asItRuns(DecoderModel model) {
      return new Subject(model, ActivationRules.of(model));
    }

    /** A model whose activations are left as they are. */
    public static Subject withPlainActivations(DecoderModel model) {
      return new Subject(model, ActivationRules.none());
    }

    /** The model. */
    public DecoderModel model() {
      return model;
    }

    ActivationRules rules() {
      return rules;
    }

    /** How activations are rounded, a few words. */
    public String activations() {
      return rules.summary();
    }

    /** What is not simulated, a sentence each. */
    public List<String> notes() {
      return rules.notes();
    }
  }

  /**
   * Sums over all windows.
   *
   * @param loss the model's {@code -ln p} of each token
   * @param against absent without a source
   * @param spilledBytes activations that were in a file
   */
  public record Outcome(WindowMean loss, Optional<Against> against, long spilledBytes) {}

  /**
   * What a source adds.
   *
   * @param sourceLoss the source's loss
   * @param excess the model's loss less the source's
   * @param divergence KL(source || model)
   * @param agreement 1 where the most likely token is the same, else 0
   */
  public record Against(
      WindowMean sourceLoss, WindowMean excess, WindowMean divergence, WindowMean agreement) {}

  private final Windows windows;
  private final long memoryBytes;
  private final Workers workers;
  private final LogitScores scores;
  private final ModelRun model;
  private final Optional<ModelRun> source;
  private final WindowMean loss;
  private final Optional<Against> against;

  /**
   * @param memoryBytes the budget; half of it is for activations
   */
  public Evaluation(
      Subject model, Optional<Subject> source, Windows windows, int threads, long memoryBytes) {
    this.windows = windows;
    this.memoryBytes = memoryBytes;
    this.workers = new Workers(threads);
    double parameters = model.model().weights().bytes() / 2.0;
    Kernels kernels = kernels(2 * parameters * windows.tokens() / threads);
    this.scores = new LogitScores(kernels, workers);
    this.model = new ModelRun(model.model(), model.rules, kernels, workers);
    this.source = source.map(s -> new ModelRun(s.model(), s.rules, kernels, workers));
    this.loss = mean();
    this.against = source.map(_ -> new Against(mean(), mean(), mean(), mean()));
  }

  /** Vector loops where the work, by each thread, is worth compiling them. */
  static Kernels kernels(double operations) {
    KernelChoice choice = KernelChoice.current();
    return choice.needsWarmUp() && operations < WORTH_VECTORS
        ? KernelChoice.withoutVectors()
        : choice.kernels();
  }

  private WindowMean mean() {
    return new WindowMean(windows.windows().size());
  }

  /** What {@link #run} will report as done, in bytes of plain weights, a window at a time. */
  public long work() {
    long bytes = work(model) + source.map(this::work).orElse(0L);
    return bytes * windows.windows().size();
  }

  private long work(ModelRun run) {
    return run.layerBytes() * (run.model().spec().layers().size() + 1);
  }

  /**
   * Runs and scores.
   *
   * @param spill a file to be made where memory does not hold all activations; must not exist
   * @param done hears of finished work
   * @throws CheckpointException when a model's logits are not finite
   * @throws IOException when the file is needed and cannot be made, or its disk is full
   */
  public Outcome run(Path spill, LongConsumer done) throws IOException {
    MemoryBudget budget = new MemoryBudget(memoryBytes);
    try (ActivationStore states = store(model, budget, spill)) {
      model.run(windows.windows(), states, done);
      if (source.isEmpty()) {
        score(states, done);
        return new Outcome(loss, against, states.spilledBytes());
      }
      Path other = spill.resolveSibling(spill.getFileName() + ".source");
      try (ActivationStore sourceStates = store(source.get(), budget, other)) {
        source.get().run(windows.windows(), sourceStates, done);
        compare(states, sourceStates, done);
        return new Outcome(loss, against, states.spilledBytes() + sourceStates.spilledBytes());
      }
    }
  }

  /** Half of the budget is for activations, equal shares of it for each model. */
  private ActivationStore store(ModelRun run, MemoryBudget budget, Path file) throws IOException {
    int[] tokens = windows.windows().stream().mapToInt(ids -> ids.length).toArray();
    long share = memoryBytes / (source.isEmpty() ? 2 : 4);
    return ActivationStore.create(budget, share, file, run.model().spec().hidden(), tokens);
  }

  private void score(ActivationStore states, LongConsumer done) throws IOException {
    try (MappedWeights weights = model.map()) {
      Head head = new Head(model.model().spec(), weights);
      for (int i = 0; i < windows.windows().size(); i++) {
        score(i, head, model.read(states, i));
        done.accept(model.layerBytes());
      }
    }
  }

  private void compare(ActivationStore states, ActivationStore sourceStates, LongConsumer done)
      throws IOException {
    ModelRun other = source.orElseThrow();
    try (MappedWeights weights = model.map();
        MappedWeights sourceWeights = other.map()) {
      Head head = new Head(model.model().spec(), weights);
      Head sourceHead = new Head(other.model().spec(), sourceWeights);
      for (int i = 0; i < windows.windows().size(); i++) {
        FloatMatrix state = model.read(states, i);
        FloatMatrix sourceState = other.read(sourceStates, i);
        compare(i, head, state, sourceHead, sourceState);
        done.accept(model.layerBytes() + other.layerBytes());
      }
    }
  }

  /** All but the last token predict one that is there. */
  private static FloatMatrix predicting(FloatMatrix state) {
    return state.view(0, 0, state.rows() - 1, state.columns());
  }

  /** What comes in a window: all but its first token. */
  private int[] tokens(int window) {
    int[] ids = windows.windows().get(window);
    return Arrays.copyOfRange(ids, 1, ids.length);
  }

  private void score(int window, Head head, FloatMatrix state) {
    int[] tokens = tokens(window);
    double[] found = new double[tokens.length];
    head.logits(
        model.workspace(),
        predicting(state),
        model.observer(),
        (first, logits) -> scores.score(logits, tokens, first, found));
    requireFinite(model, window, found);
    loss.add(found);
  }

  private void compare(
      int window, Head head, FloatMatrix state, Head sourceHead, FloatMatrix sourceState) {
    int[] tokens = tokens(window);
    LogitScores.Comparison found = new LogitScores.Comparison(tokens.length);
    ModelRun other = source.orElseThrow();
    // Both vocabularies have one size, so both heads give as many rows at a time.
    sourceHead.logits(
        other.workspace(),
        predicting(sourceState),
        other.observer(),
        (first, sourceLogits) ->
            head.logits(
                model.workspace(),
                state.view(first, 0, sourceLogits.rows(), state.columns()),
                model.observer(),
                (from, logits) ->
                    scores.compare(
                        logits,
                        sourceLogits.view(from, 0, logits.rows(), logits.columns()),
                        tokens,
                        first + from,
                        found)));
    requireFinite(other, window, found.sourceLoss());
    requireFinite(model, window, found.loss());
    loss.add(found.loss());
    Against sums = against.orElseThrow();
    sums.sourceLoss().add(found.sourceLoss());
    double[] excess = new double[tokens.length];
    Arrays.setAll(excess, i -> found.loss()[i] - found.sourceLoss()[i]);
    sums.excess().add(excess);
    sums.divergence().add(found.divergence());
    sums.agreement().add(found.agrees());
  }

  private static void requireFinite(ModelRun run, int window, double[] losses) {
    for (int i = 0; i < losses.length; i++) {
      if (!Double.isFinite(losses[i])) {
        throw new CheckpointException(
            run.model().folder().toString(),
            "expected finite logits, found a loss of "
                + losses[i]
                + " for token "
                + (i + 1)
                + " of window "
                + window,
            "The checkpoint is damaged, or a scale in it is far off: quern verify looks for both.");
      }
    }
  }

  @Override
  public void close() {
    model.close();
    source.ifPresent(ModelRun::close);
    scores.close();
    workers.close();
  }
}
