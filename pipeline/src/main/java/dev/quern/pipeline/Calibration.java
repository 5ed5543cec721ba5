package dev.quern.pipeline;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.memory.MemoryBudget;
import dev.quern.engine.parallel.Workers;
import dev.quern.formats.calibration.CalibrationData;
import dev.quern.formats.calibration.CalibrationOptions;
import dev.quern.formats.calibration.CalibrationSet;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.safetensors.SafetensorsFile;
import dev.quern.formats.safetensors.TensorSpec;
import dev.quern.formats.text.TextEncoder;
import dev.quern.pipeline.calibration.ActivationScales;
import dev.quern.pipeline.calibration.ActivationStore;
import dev.quern.pipeline.calibration.CalibratedModule;
import dev.quern.pipeline.calibration.CalibrationOutcome;
import dev.quern.pipeline.calibration.CalibrationPlan;
import dev.quern.pipeline.calibration.CalibrationRun;
import dev.quern.pipeline.calibration.Journal;
import dev.quern.pipeline.calibration.SolveReport;
import dev.quern.pipeline.model.DecoderReader;
import dev.quern.pipeline.report.Deviation;
import dev.quern.pipeline.source.SourceModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;

/**
 * The part of a run that looks at what the model computes: samples are read before anything is
 * written, all that they decide is written before the rest is compressed, and is checked like the
 * rest when it is read again.
 */
final class Calibration {
  /** Where states of samples go that find no memory; gone when the run is. */
  private static final String SPILL = "activations.tmp";

  private final CalibrationPlan plan;
  private final SourceModel model;
  private final List<TensorPlan> solved;
  private final CalibrationSet samples;
  private final boolean propagate;
  private final String fingerprint;
  private final WrittenTensors written = new WrittenTensors();
  private final List<String> warnings = new ArrayList<>();
  // Of how the run went, and not of what it made.
  private final List<String> ofThisRun = new ArrayList<>();
  private final List<SolveReport> solves = new ArrayList<>();

  private Calibration(
      CalibrationPlan plan,
      SourceModel model,
      List<TensorPlan> solved,
      CalibrationSet samples,
      boolean propagate,
      String fingerprint) {
    this.plan = plan;
    this.model = model;
    this.solved = solved;
    this.samples = samples;
    this.propagate = propagate;
    this.fingerprint = fingerprint;
    warnings.addAll(samples.notes());
  }

  /**
   * What the model has to be run for, decided from headers; empty for nothing.
   *
   * @throws dev.quern.formats.CheckpointException when it has to run and is of no architecture that
   *     can
   * @throws QuernException when scales of the cache cannot be found
   */
  static Optional<CalibrationPlan> plan(
      HuggingFaceCheckpoint checkpoint, CompressionOptions options, List<TensorPlan> tensors) {
    options
        .recipe()
        .cache()
        .flatMap(ActivationScales::problemOfCache)
        .ifPresent(
            problem -> {
              throw new QuernException(
                  QuernException.Kind.REQUEST,
                  options.recipe().origin() + ", kv_cache_scheme",
                  problem,
                  "Give for example num_bits: 8, type: float, strategy: tensor, dynamic: false,"
                      + " symmetric: true.");
            });
    List<TensorPlan> calibrated = tensors.stream().filter(TensorPlan::isCalibrated).toList();
    if (calibrated.isEmpty() && options.recipe().cache().isEmpty()) {
      return Optional.empty();
    }
    SourceModel model = model(checkpoint);
    List<CalibratedModule> modules =
        calibrated.stream()
            .map(
                tensor ->
                    new CalibratedModule(
                        tensor.module(),
                        model.find(tensor.name()).orElseThrow(),
                        tensor.scheme().orElseThrow(),
                        tensor.solver(),
                        tensor.outputs()))
            .toList();
    return Optional.of(
        CalibrationPlan.of(
            DecoderReader.read(checkpoint.config(), model),
            model,
            modules,
            options.recipe().cache()));
  }

  private static SourceModel model(HuggingFaceCheckpoint checkpoint) {
    return SourceModel.open(checkpoint).withSingleExperts(checkpoint.config(), _ -> true);
  }

  /**
   * Reads the samples; empty when the plan needs none.
   *
   * @throws dev.quern.formats.CheckpointException when they cannot be read
   */
  static Optional<Calibration> of(HuggingFaceCheckpoint checkpoint, CompressionPlan plan) {
    CompressionOptions options = plan.options();
    return plan(checkpoint, options, plan.tensors())
        .map(
            calibration -> {
              CalibrationSet samples = samples(options, calibration.decoder().vocabulary());
              return new Calibration(
                  calibration,
                  model(checkpoint),
                  plan.tensors().stream().filter(TensorPlan::isSolved).toList(),
                  samples,
                  options.propagate(),
                  Fingerprint.of(checkpoint, plan, samples, options.propagate()));
            });
  }

  private static CalibrationSet samples(CompressionOptions options, int vocabulary) {
    CalibrationOptions which = options.calibrationOptions();
    try (TextEncoder encoder = TextEncoder.of(options.model())) {
      return options.calibration().isPresent()
          ? CalibrationData.read(options.calibration().get(), encoder, vocabulary, which)
          : CalibrationData.embedded(encoder, vocabulary, which);
    }
  }

  /**
   * What an earlier run of the same command has left, or the beginning of one for a later run.
   *
   * @param folder where it lies
   * @param reserved bytes that the output itself still needs of the disk
   */
  Journal journal(Path folder, long reserved) throws IOException {
    long states = 0;
    for (int i = 0; i < samples.size(); i++) {
      states += ActivationStore.bytes(plan.decoder().hidden(), samples.length(i));
    }
    // Those before and after a layer, and what may find no memory.
    long needed = 3 * states + reserved;
    for (CalibratedModule module : plan.modules()) {
      needed += module.outputs().stream().mapToLong(TensorSpec::bytes).sum();
    }
    long free = Files.getFileStore(folder.getParent()).getUsableSpace();
    Journal journal =
        free >= needed || Files.exists(folder)
            ? Journal.open(folder, fingerprint, plan.lastLayer() + 1)
            : Journal.none(
                "the disk has "
                    + free
                    + " bytes free, and keeping finished layers would take "
                    + needed
                    + ": should this run be stopped, it starts from the beginning");
    journal.note().ifPresent(ofThisRun::add);
    if (journal.finished() > 0) {
      ofThisRun.add(
          String.format(
              Locale.ROOT,
              "%d of %d layers were found in %s and not computed again",
              journal.finished(),
              plan.lastLayer() + 1,
              folder));
    }
    return journal;
  }

  /** What the user should know; complete after {@link #run}. */
  List<String> warnings() {
    List<String> all = new ArrayList<>(ofThisRun);
    all.addAll(warnings);
    return all;
  }

  /** Those that are the same in every run with the same result. */
  List<String> lastingWarnings() {
    return warnings;
  }

  /** What solvers did; complete after {@link #run}. */
  List<SolveReport> solves() {
    return solves;
  }

  /**
   * Runs the model over the samples and writes all that they decide.
   *
   * @param folder for a file that is gone afterwards
   * @param journal of {@link #journal}
   */
  void run(
      ShardOutputs outputs,
      Workers workers,
      MemoryBudget budget,
      Path folder,
      Journal journal,
      Progress progress)
      throws IOException, InterruptedException {
    progress.stage("calibrate", model.bytes());
    CalibrationRun run =
        new CalibrationRun(
            plan,
            model,
            samples,
            propagate,
            Kernels.best(),
            workers,
            (tensor, bytes) -> {
              outputs.write(tensor, 0, bytes);
              written.add(tensor, bytes);
            },
            journal);
    CalibrationOutcome outcome = run.run(budget, folder.resolve(SPILL), progress::advance);
    warnings.addAll(outcome.warnings());
    solves.addAll(outcome.solves());
  }

  /**
   * Reads what was written again: every byte is the one that was found, and what readers decode
   * from it is compared with the source.
   *
   * @param files the file of each output tensor
   * @param folder of the output, complete
   * @return errors of solved matrices by their modules' names
   * @throws QuernException when a byte differs
   */
  SortedMap<String, Deviation> verify(
      Map<String, SafetensorsFile> files, Path folder, Workers workers, Progress progress)
      throws Exception {
    written.verify(files);
    return new SolvedErrors(solved, model, folder).run(workers, progress);
  }
}
