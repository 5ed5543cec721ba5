package dev.quern.cli;

import dev.quern.pipeline.CompressionOptions;
import dev.quern.pipeline.CompressionPlan;
import dev.quern.pipeline.CompressionReport;
import dev.quern.pipeline.Quern;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code quern compress}: a checkpoint in, a compressed checkpoint out. */
@Command(
    name = "compress",
    description = "Compress a checkpoint into one that vLLM and transformers load.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    footer = {
      "",
      "Example: quern compress Llama-3.2-1B --scheme FP8_DYNAMIC --output Llama-3.2-1B-FP8",
      "         quern compress M --scheme W8A8 --scheme FP8_DYNAMIC:re:.*self_attn.* --output"
          + " M-mixed",
      "Patterns are full module names, class names (Linear), or Python expressions after re:.",
      "Sizes take K, M, G, T (powers of 1000) and KiB, MiB, GiB, TiB."
    })
final class Compress implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @ArgGroup(exclusive = true, multiplicity = "1")
  private What what;

  @Mixin private OutputOptions files;

  @Option(
      names = "--targets",
      paramLabel = "PATTERN",
      description =
          "What the one --scheme is for; may be repeated. Default: Linear, all matrices but"
              + " embeddings.")
  private List<String> targets = List.of();

  @Option(
      names = "--ignore",
      paramLabel = "PATTERN",
      description =
          "What to leave as it is; may be repeated. lm_head is left in any case, unless a target"
              + " names it.")
  private List<String> ignore = List.of();

  @Option(
      names = "--observer",
      paramLabel = "NAME",
      description =
          "How ranges of weights are found, for all schemes. Default: what each scheme says,"
              + " memoryless_minmax for presets.")
  private String observer;

  @Option(
      names = "--tensor-parallel",
      paramLabel = "N",
      description =
          "Refuse what vLLM would not load on N ranks. Without it, what it would not load on one is"
              + " a warning.")
  private Integer tensorParallel;

  @Mixin private SolverOptions solver;

  @Mixin private SampleOptions samples;

  @Mixin private WorkOptions work;

  @Mixin private JsonOption json;

  @Override
  public Integer call() throws InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    CompressionOptions options = options();
    if (files.dryRun()) {
      CompressionPlan plan = Quern.plan(options);
      out.print(json.wanted() ? plan.toJson() : Tables.plan(plan));
      return ExitCode.OK;
    }
    CompressionReport report;
    try (ProgressDisplay progress = ProgressDisplay.on(err)) {
      report = Quern.compress(options, progress);
    }
    Warnings.print(err, report.plan().warnings());
    out.print(json.wanted() ? report.toJson() : Tables.report(report));
    return ExitCode.OK;
  }

  private CompressionOptions options() {
    CompressionOptions options =
        what.options(files.model(), files.output())
            .withIgnore(ignore)
            .withThreads(work.threads())
            .withMemoryBytes(work.memory())
            .withMaxShardBytes(files.maxShardSize())
            .withOverwrite(files.overwrite());
    if (!targets.isEmpty()) {
      options = options.withTargets(targets);
    }
    if (tensorParallel != null) {
      options = options.withTensorParallel(tensorParallel);
    }
    if (observer != null) {
      options = options.withWeightObserver(observer);
    }
    return samples.applyTo(solver.applyTo(options));
  }

  /** What becomes of the modules: schemes, or a recipe. */
  static final class What {
    @Option(
        names = "--scheme",
        required = true,
        paramLabel = "NAME[:PATTERN]",
        description =
            "A scheme such as FP8_DYNAMIC, in any case, and after a colon what it is for. May be"
                + " repeated: a module's name goes before a pattern, a pattern before a class.")
    private List<String> schemes;

    @Option(
        names = "--recipe",
        required = true,
        paramLabel = "FILE",
        description = "A recipe of llm-compressor, YAML or JSON, with QuantizationModifiers.")
    private Path recipe;

    CompressionOptions options(Path model, Path output) {
      return recipe == null
          ? CompressionOptions.ofSchemes(model, output, schemes)
          : CompressionOptions.ofRecipe(model, output, recipe);
    }
  }
}
