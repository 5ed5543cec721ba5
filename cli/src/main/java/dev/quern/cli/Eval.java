package dev.quern.cli;

import dev.quern.pipeline.EvaluationOptions;
import dev.quern.pipeline.EvaluationReport;
import dev.quern.pipeline.Quern;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code quern eval}: how well a model predicts a text, and how far it is from its source. */
@Command(
    name = "eval",
    description =
        "Measure a model's perplexity on a text; with a source, also KL divergence and how often"
            + " both agree.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    footer = {
      "",
      "Example: quern eval Llama-3.2-1B-W4A16 --text heldout.txt --against Llama-3.2-1B",
      "Documents in a .txt are parted by <|endoftext|>; .jsonl and .safetensors as for",
      "calibration. Activations are rounded as the checkpoint's schemes say."
    })
final class Eval implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "MODEL", description = "Folder of the checkpoint, plain or compressed.")
  private Path model;

  @Option(
      names = "--text",
      required = true,
      paramLabel = "FILE",
      description = "What to read: .txt, .jsonl or .safetensors, held out from calibration.")
  private Path text;

  @Option(
      names = "--against",
      paramLabel = "SOURCE",
      description = "Folder of the checkpoint that it was made from.")
  private Path against;

  @Option(
      names = "--window",
      paramLabel = "TOKENS",
      description =
          "Tokens that the model reads at once. Default: 512, or what the model can if less.")
  private Integer window;

  @Option(
      names = "--limit",
      paramLabel = "TOKENS",
      description = "The most tokens of the text. Default: all.")
  private Integer limit;

  @Option(
      names = "--no-activation-quantization",
      description = "Leave activations, keys and values as they are: only the weights differ.")
  private boolean weightsOnly;

  @Mixin private WorkOptions work;

  @Mixin private JsonOption json;

  @Override
  public Integer call() throws InterruptedException {
    PrintWriter err = spec.commandLine().getErr();
    EvaluationReport report;
    try (ProgressDisplay progress = ProgressDisplay.on(err)) {
      report = Quern.evaluate(options(), progress);
    }
    Warnings.print(err, report.notes());
    spec.commandLine().getOut().print(json.wanted() ? report.toJson() : EvaluationTable.of(report));
    return ExitCode.OK;
  }

  private EvaluationOptions options() {
    EvaluationOptions options =
        EvaluationOptions.of(model, text)
            .withActivationQuantization(!weightsOnly)
            .withThreads(work.threads())
            .withMemoryBytes(work.memory());
    if (against != null) {
      options = options.withAgainst(against);
    }
    if (window != null) {
      options = options.withWindow(window);
    }
    return limit == null ? options : options.withLimit(limit);
  }
}
