package dev.quern.cli;

import dev.quern.pipeline.GenerationOptions;
import dev.quern.pipeline.GenerationReport;
import dev.quern.pipeline.Quern;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code quern generate}: whether a model still speaks. */
@Command(
    name = "generate",
    description =
        "Let a model, plain or compressed, go on with a text; always the likeliest token.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    footer = {
      "",
      "Example: quern generate Llama-3.2-1B-W4A16 --prompt \"Once upon a time\"",
      "Activations are rounded as the checkpoint's schemes say. --memory is for keys, values and",
      "decoded weights; layers that do not fit are decoded for each token anew."
    })
final class Generate implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "MODEL", description = "Folder of the checkpoint, plain or compressed.")
  private Path model;

  @Option(
      names = "--prompt",
      required = true,
      paramLabel = "TEXT",
      description = "What the model goes on with.")
  private String prompt;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      description = "The most tokens to generate. Default: 128.")
  private int maxTokens = GenerationOptions.DEFAULT_TOKENS;

  @Option(
      names = "--chat",
      description = "The prompt is what a user says: put the model's chat template around it.")
  private boolean chat;

  @Option(
      names = "--no-activation-quantization",
      description = "Leave activations, keys and values as they are: only the weights differ.")
  private boolean weightsOnly;

  @Mixin private WorkOptions work;

  @Mixin private JsonOption json;

  @Override
  public Integer call() throws InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    GenerationOptions options =
        GenerationOptions.of(model, prompt)
            .withMaxTokens(maxTokens)
            .withChat(chat)
            .withActivationQuantization(!weightsOnly)
            .withThreads(work.threads())
            .withMemoryBytes(work.memory());
    GenerationReport report =
        Quern.generate(
            options,
            piece -> {
              if (!json.wanted()) {
                out.print(visible(piece));
                out.flush();
              }
            });
    out.print(json.wanted() ? report.toJson() : "\n");
    out.flush();
    Warnings.print(err, report.notes());
    err.println(speed(report));
    return ExitCode.OK;
  }

  /** Texts come from a model: lines may end, but nothing gets to move the cursor. */
  private static String visible(String piece) {
    return piece
        .codePoints()
        .map(c -> Character.isISOControl(c) && c != '\n' && c != '\t' ? '?' : c)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  private static String speed(GenerationReport report) {
    int others = report.tokens().size() - (report.ended() ? 0 : 1);
    return String.format(
        Locale.ROOT,
        "quern: %d tokens of prompt in %.2f s, %d generated, %.1f a second, ended by %s",
        report.promptTokens(),
        report.promptNanos() / 1e9,
        report.tokens().size(),
        others / Math.max(1e-9, report.tokenNanos() / 1e9),
        report.ended() ? "the model" : "the length");
  }
}
