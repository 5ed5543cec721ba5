package dev.quern.pipeline;

import dev.quern.engine.evaluation.WindowMean;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.calibration.TokenStream;
import dev.quern.formats.huggingface.EndTokens;
import dev.quern.formats.text.TextEncoder;
import dev.quern.pipeline.evaluation.Evaluation;
import dev.quern.pipeline.evaluation.Windows;
import dev.quern.pipeline.model.DecoderModel;
import dev.quern.pipeline.source.SourceModel;
import dev.quern.pipeline.source.SourceWeight;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;

/** From options to a report: opens the models, reads the text, runs, and says what was found. */
final class Evaluator {
  private static final String TOKENIZER = "tokenizer.json";
  private static final AtomicInteger RUNS = new AtomicInteger();

  private final EvaluationOptions options;
  private final Progress progress;
  private final List<String> notes = new ArrayList<>();

  private Evaluator(EvaluationOptions options, Progress progress) {
    this.options = options;
    this.progress = progress;
  }

  /**
   * @throws CheckpointException when a model or the text is refused
   */
  static EvaluationReport run(EvaluationOptions options, Progress progress) {
    return new Evaluator(options, progress).run();
  }

  private EvaluationReport run() {
    try (DecoderModel model = DecoderModel.open(options.model())) {
      if (options.against().isEmpty()) {
        return run(model, Optional.empty());
      }
      try (DecoderModel source = DecoderModel.open(options.against().get())) {
        requireOneVocabulary(model, source);
        return run(model, Optional.of(source));
      }
    }
  }

  private static void requireOneVocabulary(DecoderModel model, DecoderModel source) {
    int ours = model.spec().vocabulary();
    int theirs = source.spec().vocabulary();
    if (ours != theirs) {
      throw new CheckpointException(
          model.folder().toString(),
          "expected the vocabulary of "
              + source.folder()
              + ", "
              + theirs
              + " tokens, found "
              + ours,
          "Give the checkpoint that this one was made from with --against.");
    }
  }

  private EvaluationReport run(DecoderModel model, Optional<DecoderModel> source) {
    final long start = System.nanoTime();
    TokenStream stream = read(model, model);
    source.ifPresent(s -> requireOneTokenizer(model, s, stream));
    int length = window(model);
    if (stream.ids().length < 2) {
      throw new CheckpointException(
          options.text().toString(),
          "expected at least two tokens, found one",
          "Give a longer text, or a larger --limit.");
    }
    Windows windows = Windows.cut(stream.ids(), length);
    noteWindows(windows, length, stream);
    Evaluation.Subject subject = subject(model);
    Optional<Evaluation.Subject> against = source.map(this::subject);
    try (Evaluation evaluation =
        new Evaluation(subject, against, windows, options.threads(), options.memoryBytes())) {
      progress.stage("evaluate", evaluation.work());
      Evaluation.Outcome outcome = evaluation.run(spill(), progress::advance);
      return new EvaluationReport(
          options,
          windows.longest(),
          windows.windows().size(),
          outcome.loss().tokens(),
          windows.leftOut(),
          notes,
          score(subject, outcome.loss()),
          outcome.against().map(a -> comparison(against.orElseThrow(), a)),
          outcome.spilledBytes(),
          System.nanoTime() - start);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A name in the system's folder for temporary files that nobody else has. */
  private static Path spill() {
    String name = "quern-eval-" + ProcessHandle.current().pid() + "-" + RUNS.incrementAndGet();
    return Path.of(System.getProperty("java.io.tmpdir"), name + ".activations");
  }

  private Evaluation.Subject subject(DecoderModel model) {
    Evaluation.Subject subject =
        options.activationQuantization()
            ? Evaluation.Subject.asItRuns(model)
            : Evaluation.Subject.withPlainActivations(model);
    subject.notes().forEach(note -> notes.add(model.folder() + ": " + note));
    return subject;
  }

  private static EvaluationReport.Comparison comparison(
      Evaluation.Subject source, Evaluation.Against against) {
    return new EvaluationReport.Comparison(
        score(source, against.sourceLoss()),
        EvaluationReport.Estimate.of(against.excess()).exp(),
        EvaluationReport.Estimate.of(against.divergence()),
        EvaluationReport.Estimate.of(against.agreement()));
  }

  private static EvaluationReport.ModelScore score(Evaluation.Subject subject, WindowMean mean) {
    EvaluationReport.Estimate loss = EvaluationReport.Estimate.of(mean);
    return new EvaluationReport.ModelScore(
        loss, loss.exp(), encodings(subject.model().weights()), subject.activations());
  }

  /** How most of the weights are stored, and how many other ways there are. */
  private static String encodings(SourceModel weights) {
    Map<String, Long> elements = new TreeMap<>();
    for (SourceWeight weight : weights.weights()) {
      weight
          .encoding()
          .ifPresent(what -> elements.merge(what, weight.spec().elements(), Long::sum));
    }
    return elements.entrySet().stream()
        .max(Map.Entry.comparingByValue())
        .map(most -> most.getKey() + (elements.size() == 1 ? "" : " and others"))
        .orElse("plain");
  }

  /** The text as a model's tokenizer has it, with the end token of the evaluated model. */
  private TokenStream read(DecoderModel tokenizer, DecoderModel model) {
    int limit = options.limit().orElse(EvaluationOptions.MAX_TOKENS);
    try (TextEncoder encoder = TextEncoder.of(tokenizer.folder())) {
      return TokenStream.read(
          options.text(),
          encoder,
          model.spec().vocabulary(),
          EndTokens.of(model.checkpoint()).ofText(),
          limit);
    }
  }

  /** Two tokenizers that give the same ids for this text are as good as one. */
  private void requireOneTokenizer(DecoderModel model, DecoderModel source, TokenStream stream) {
    Path ours = model.folder().resolve(TOKENIZER);
    Path theirs = source.folder().resolve(TOKENIZER);
    if (!Files.isRegularFile(ours) || !Files.isRegularFile(theirs) || isEqual(ours, theirs)) {
      return;
    }
    if (!Arrays.equals(stream.ids(), read(source, model).ids())) {
      throw new CheckpointException(
          ours.toString(),
          "expected the tokenizer of "
              + source.folder()
              + ", found one that gives other ids for"
              + " this text",
          "Give the checkpoint that this one was made from with --against.");
    }
  }

  private static boolean isEqual(Path a, Path b) {
    try {
      return Files.mismatch(a, b) < 0;
    } catch (IOException e) {
      throw new CheckpointException(
          a.toString(), "cannot be read (" + e + ")", "Check permissions and the disk.", e);
    }
  }

  private int window(DecoderModel model) {
    Optional<Integer> most =
        model
            .checkpoint()
            .config()
            .integer("max_position_embeddings")
            .filter(positions -> positions >= 2)
            .map(positions -> (int) Math.min(positions, EvaluationOptions.MAX_TOKENS));
    if (options.window().isEmpty()) {
      return Math.min(
          EvaluationOptions.DEFAULT_WINDOW, most.orElse(EvaluationOptions.DEFAULT_WINDOW));
    }
    int window = options.window().getAsInt();
    if (most.isPresent() && window > most.get()) {
      notes.add(
          "windows of "
              + window
              + " tokens are longer than the model's max_position_embeddings, "
              + most.get());
    }
    return window;
  }

  private void noteWindows(Windows windows, int length, TokenStream stream) {
    if (windows.longest() < length) {
      notes.add(
          "the text has "
              + windows.longest()
              + " tokens, less than a window of "
              + length
              + ": it is one short window, and there is no standard error");
    } else if (windows.windows().size() == 1) {
      notes.add("there is only one window, and so no standard error");
    }
    if (stream.isCut() && options.limit().isEmpty()) {
      notes.add("only the first " + stream.ids().length + " tokens of the text were used");
    }
  }
}
