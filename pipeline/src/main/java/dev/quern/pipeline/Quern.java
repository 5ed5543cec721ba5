package dev.quern.pipeline;

import dev.quern.engine.memory.MemoryBudget;
import dev.quern.engine.parallel.NoThreadException;
import dev.quern.engine.parallel.Workers;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.TiedEmbeddings;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.json.Json;
import dev.quern.pipeline.calibration.Journal;
import dev.quern.pipeline.report.Deviation;
import dev.quern.pipeline.source.ModelType;
import dev.quern.pipeline.source.SourceModel;
import dev.quern.pipeline.source.SourceReaders;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Compresses, decompresses and evaluates checkpoints: the entry point of the library.
 *
 * {@snippet class="dev.quern.pipeline.LibraryExample" region="compress"}
 */
public final class Quern {
  private Quern() {}

  /**
   * Decides the fate of every tensor from headers alone; computes and writes nothing. What would
   * stop a run at the place of the output is among the plan's warnings.
   *
   * @throws QuernException when the request or the checkpoint is refused
   */
  public static CompressionPlan plan(CompressionOptions options) {
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(options.model())) {
      SourceModel model = Planner.source(checkpoint, options);
      CompressionPlan plan = Planner.plan(checkpoint, model, options);
      return stopsAt(outputPlan(checkpoint, plan)).map(plan::withWarning).orElse(plan);
    } catch (CheckpointException e) {
      throw new QuernException(QuernException.Kind.INPUT, e);
    }
  }

  /**
   * Writes the compressed checkpoint: plans, computes, reads everything again and compares it with
   * the source, and only then gives the output its name. Nothing is left at the output's name
   * otherwise.
   *
   * @throws QuernException when the request, the checkpoint or the output is refused, or the
   *     comparison fails
   * @throws InterruptedException when the calling thread is interrupted; nothing is left then
   */
  public static CompressionReport compress(CompressionOptions options, Progress progress)
      throws InterruptedException {
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(options.model())) {
      SourceModel model = Planner.source(checkpoint, options);
      CompressionPlan plan = Planner.plan(checkpoint, model, options);
      return compress(checkpoint, model, plan, progress);
    } catch (CheckpointException e) {
      throw new QuernException(QuernException.Kind.INPUT, e);
    } catch (InternalError e) {
      throw shortened(options.model(), e);
    }
  }

  /** Why a real run would not write its output. */
  private static Optional<String> stopsAt(OutputPlan plan) {
    try {
      requirePlace(plan);
      return Optional.empty();
    } catch (QuernException e) {
      return Optional.of("a real run would stop here: " + e.getMessage());
    }
  }

  /** Refuses an output that may not be made, or has no room. */
  private static void requirePlace(OutputPlan plan) {
    OutputFolder.check(plan.output(), plan.model(), plan.overwrite());
    OutputFiles.requireSpace(plan);
  }

  /**
   * Decides what becomes of every tensor of a quantized checkpoint, from headers alone; computes
   * and writes nothing. What would stop a run at the place of the output is among the plan's
   * warnings.
   *
   * @throws QuernException when the request or the checkpoint is refused
   */
  public static DecompressionPlan plan(DecompressionOptions options) {
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(options.model())) {
      DecompressionPlan plan =
          DecompressionPlanner.plan(checkpoint, decoded(checkpoint, options), options);
      return stopsAt(outputPlan(checkpoint, plan)).map(plan::withWarning).orElse(plan);
    } catch (CheckpointException e) {
      throw new QuernException(QuernException.Kind.INPUT, e);
    }
  }

  /**
   * Writes the plain checkpoint that a quantized one stands for: plans, decodes, reads everything
   * again and compares it, and only then gives the output its name. Nothing is left at the output's
   * name otherwise.
   *
   * @throws QuernException when the request, the checkpoint or the output is refused, or the
   *     comparison fails
   * @throws InterruptedException when the calling thread is interrupted; nothing is left then
   */
  public static DecompressionReport decompress(DecompressionOptions options, Progress progress)
      throws InterruptedException {
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(options.model())) {
      SourceModel model = decoded(checkpoint, options);
      DecompressionPlan plan = DecompressionPlanner.plan(checkpoint, model, options);
      Outcome outcome =
          write(model, outputPlan(checkpoint, plan), Optional.empty(), (_, _) -> {}, progress);
      return new DecompressionReport(
          options.output(), plan, outcome.workNanos(), outcome.verifyNanos());
    } catch (CheckpointException e) {
      throw new QuernException(QuernException.Kind.INPUT, e);
    } catch (InternalError e) {
      throw shortened(options.model(), e);
    }
  }

  private static SourceModel decoded(
      HuggingFaceCheckpoint checkpoint, DecompressionOptions options) {
    return SourceModel.open(checkpoint, DecompressionPlanner.type(checkpoint, options));
  }

  /** How the JVM reports a mapped file that became shorter while it was read. */
  private static QuernException shortened(Path model, InternalError e) {
    return new QuernException(
        QuernException.Kind.INPUT,
        model.toString(),
        "a file could not be read to its end (" + e.getMessage() + ")",
        "Let nothing else write to it, check the disk, and start again.");
  }

  /**
   * Writes a compressed checkpoint's weights in the byte order of a kernel, with a {@code
   * layout.json} that says where every bit is. Each tensor is unpacked again and compared before it
   * counts as written.
   *
   * <p>One tensor alone, into memory of the caller's, is {@link
   * dev.quern.formats.layout.Layout#pack}.
   *
   * @throws QuernException when the request, the checkpoint or the output is refused
   * @throws InterruptedException when the calling thread is interrupted; nothing is left then
   */
  public static PackReport pack(PackOptions options, Progress progress)
      throws InterruptedException {
    return PackedCheckpoints.pack(options, progress);
  }

  /**
   * Writes the checkpoint that {@link #pack} was given, byte for byte.
   *
   * @throws QuernException when the packed checkpoint is damaged or the output is refused
   * @throws InterruptedException when the calling thread is interrupted; nothing is left then
   */
  public static void unpack(UnpackOptions options, Progress progress) throws InterruptedException {
    PackedCheckpoints.unpack(options, progress);
  }

  /** Measures how fast this machine and JVM are; takes a few seconds. */
  public static Diagnosis diagnose() {
    return Diagnosis.measure();
  }

  /**
   * Says what is in a checkpoint, compressed or not, from its headers.
   *
   * @throws QuernException when the checkpoint is refused
   */
  public static Inspection inspect(Path model) {
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(model)) {
      return Inspection.of(checkpoint);
    } catch (CheckpointException e) {
      throw new QuernException(QuernException.Kind.INPUT, e);
    }
  }

  /**
   * Says which kernel will run each layer of a compressed checkpoint on each target, from headers
   * alone.
   *
   * @throws QuernException when the checkpoint or the request is refused
   */
  public static KernelPlan kernels(Path model, ServingOptions serving) {
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(model)) {
      return KernelPlanner.compressed(checkpoint, serving);
    } catch (CheckpointException e) {
      throw new QuernException(QuernException.Kind.INPUT, e);
    }
  }

  /**
   * Says which kernel would run each layer of what a compression makes, from headers alone.
   *
   * @throws QuernException when the checkpoint or the request is refused
   */
  public static KernelPlan kernels(CompressionOptions options, ServingOptions serving) {
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(options.model())) {
      SourceModel model = Planner.source(checkpoint, options);
      return KernelPlanner.planned(checkpoint, Planner.plan(checkpoint, model, options), serving);
    } catch (CheckpointException e) {
      throw new QuernException(QuernException.Kind.INPUT, e);
    }
  }

  /**
   * Checks a compressed checkpoint: configuration and tensors agree, every scale is finite and
   * positive, and with a source, each weight is within the bound of its format and everything else
   * is equal.
   *
   * @param model folder of the compressed checkpoint
   * @param against folder of the source checkpoint, or empty
   * @param threads worker threads, at least 1
   * @param memoryBytes the most that work in flight may occupy
   * @return what was found; problems of the content are in the report, not thrown
   * @throws QuernException when a folder cannot be read as a checkpoint at all
   */
  public static VerificationReport verify(
      Path model, Optional<Path> against, int threads, long memoryBytes, Progress progress)
      throws InterruptedException {
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(model)) {
      CheckpointVerifier verifier = new CheckpointVerifier(checkpoint);
      if (against.isEmpty()) {
        return verifier.report(Map.of());
      }
      try (HuggingFaceCheckpoint source = HuggingFaceCheckpoint.open(against.get())) {
        Map<String, ErrorStatistics> errors =
            verifier.compare(source, threads, memoryBytes, progress);
        return verifier.report(errors);
      }
    } catch (CheckpointException e) {
      throw new QuernException(QuernException.Kind.INPUT, e);
    } catch (InternalError e) {
      throw shortened(model, e);
    } catch (RuntimeException | InterruptedException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Measures how well a model, plain or compressed, predicts a text, and how far it is from its
   * source. Writes nothing.
   *
   * @throws QuernException when a model or the text is refused
   * @throws InterruptedException when the calling thread is interrupted
   */
  public static EvaluationReport evaluate(EvaluationOptions options, Progress progress)
      throws InterruptedException {
    return running(options.model(), options.threads(), () -> Evaluator.run(options, progress));
  }

  /**
   * Goes on with a text, each time with the most likely token: to see that a model, plain or
   * compressed, still speaks. Writes nothing.
   *
   * @param listener hears pieces of the text as they come, on the calling thread
   * @throws QuernException when the model or the prompt is refused
   * @throws InterruptedException when the calling thread is interrupted
   */
  public static GenerationReport generate(GenerationOptions options, Consumer<String> listener)
      throws InterruptedException {
    return running(options.model(), options.threads(), () -> Generator.run(options, listener));
  }

  /** Work on a model that writes nothing. */
  private static <T> T running(Path model, int threads, Supplier<T> work)
      throws InterruptedException {
    try {
      return work.get();
    } catch (CheckpointException e) {
      throw new QuernException(QuernException.Kind.INPUT, e);
    } catch (NoThreadException e) {
      throw noThread(threads, e);
    } catch (InternalError e) {
      throw shortened(model, e);
    } catch (UncheckedIOException e) {
      throw new QuernException(
          QuernException.Kind.OUTPUT,
          "temporary file",
          e.getCause().getMessage(),
          "Name another folder with -Djava.io.tmpdir=FOLDER in QUERN_JAVA_OPTS, or give more"
              + " --memory.");
    } catch (IllegalStateException e) {
      if (Thread.interrupted()) { // a task on threads says it this way
        throw new InterruptedException(e.getMessage());
      }
      throw e;
    }
  }

  private static QuernException noThread(int threads, NoThreadException e) {
    return new QuernException(
        QuernException.Kind.REQUEST,
        "--threads " + threads,
        e.getMessage(),
        "Close other programs, or raise the limit on processes (ulimit -u).");
  }

  static CompressionReport compress(
      HuggingFaceCheckpoint checkpoint, SourceModel model, CompressionPlan plan, Progress progress)
      throws InterruptedException {
    Optional<Calibration> calibration = Calibration.of(checkpoint, plan);
    Outcome outcome =
        write(
            model,
            outputPlan(checkpoint, plan),
            calibration,
            (folder, errors) ->
                Reports.write(
                    folder,
                    warned(plan, calibration.map(Calibration::lastingWarnings)),
                    errors,
                    calibration),
            progress);
    return new CompressionReport(
        plan.options().output(),
        warned(plan, calibration.map(Calibration::warnings)),
        ErrorStatistics.byKind(outcome.errors()),
        outcome.workNanos(),
        outcome.verifyNanos());
  }

  private static CompressionPlan warned(CompressionPlan plan, Optional<List<String>> warnings) {
    CompressionPlan warned = plan;
    for (String warning : warnings.orElse(List.of())) {
      warned = warned.withWarning(warning);
    }
    return warned;
  }

  /** What a run measured; errors by the modules' names. */
  private record Outcome(SortedMap<String, Deviation> errors, long workNanos, long verifyNanos) {}

  /** What is written last, when all else has been read again. */
  @FunctionalInterface
  private interface Last {
    void write(Path folder, SortedMap<String, Deviation> errors) throws IOException;
  }

  private static Outcome write(
      SourceModel model,
      OutputPlan plan,
      Optional<Calibration> calibration,
      Last last,
      Progress progress)
      throws InterruptedException {
    Path output = plan.output();
    requirePlace(plan);
    MemoryBudget budget = new MemoryBudget(plan.memoryBytes());
    try (OutputFolder folder = OutputFolder.create(output);
        Workers workers = new Workers(plan.threads());
        ShardOutputs shards = new ShardOutputs(folder.partial(), plan.shards())) {
      long start = System.nanoTime();
      if (calibration.isPresent()) {
        long reserved = ShardOutputs.fileBytes(plan.shards());
        try (Journal journal = calibration.get().journal(folder.journal(), reserved)) {
          calibration.get().run(shards, workers, budget, folder.partial(), journal, progress);
        }
      }
      new CompressionRun(model, plan, shards, workers, budget, progress).run();
      OutputFiles.write(plan, shards, folder.partial());
      long worked = System.nanoTime();
      SortedMap<String, Deviation> errors;
      try (WrittenShards written = WrittenShards.open(folder.partial(), plan.shards())) {
        errors =
            new Verification(CompressionRun.planned(model, plan.tensors()), written.byTensor())
                .run(workers, budget, progress);
        if (calibration.isPresent()) {
          errors.putAll(
              calibration.get().verify(written.byTensor(), folder.partial(), workers, progress));
        }
      }
      last.write(folder.partial(), errors);
      shards.awaitDisk();
      // Something else may have come there meanwhile.
      OutputFolder.check(output, plan.model(), plan.overwrite());
      folder.publish();
      Journal.remove(folder.journal());
      return new Outcome(errors, worked - start, System.nanoTime() - worked);
    } catch (NoThreadException e) {
      throw noThread(plan.threads(), e);
    } catch (RuntimeException | InterruptedException | Error e) {
      throw e;
    } catch (IOException e) {
      throw OutputFiles.failed(output, e);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private static OutputPlan outputPlan(HuggingFaceCheckpoint checkpoint, CompressionPlan plan) {
    CompressionOptions options = plan.options();
    return new OutputPlan(
        options.model(),
        options.output(),
        options.overwrite(),
        options.threads(),
        options.memoryBytes(),
        plan.tensors(),
        plan.added(),
        plan.shards(),
        plan.otherFiles(),
        plan.writesIndex(),
        config(checkpoint, plan),
        Optional.of(plan.recipe()),
        "compress");
  }

  private static Json.Obj config(HuggingFaceCheckpoint checkpoint, CompressionPlan plan) {
    Json.Obj source = SourceReaders.withoutQuantization(checkpoint.config());
    return plan.tieWordEmbeddings()
        .map(tied -> TiedEmbeddings.withTied(source, tied))
        .orElse(source)
        .with("quantization_config", plan.quantizationConfig().toJson());
  }

  private static OutputPlan outputPlan(HuggingFaceCheckpoint checkpoint, DecompressionPlan plan) {
    DecompressionOptions options = plan.options();
    return new OutputPlan(
        options.model(),
        options.output(),
        options.overwrite(),
        options.threads(),
        options.memoryBytes(),
        plan.tensors(),
        List.of(),
        plan.shards(),
        plan.otherFiles(),
        plan.writesIndex(),
        ModelType.set(SourceReaders.withoutQuantization(checkpoint.config()), plan.type()),
        Optional.empty(),
        "decompress");
  }
}
