package dev.quern.cli;

import dev.quern.pipeline.Quern;
import dev.quern.pipeline.VerificationReport;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code quern verify}: whether a compressed checkpoint is sound. */
@Command(
    name = "verify",
    description =
        "Check that tensors and configuration of a checkpoint agree and all scales are sound; with"
            + " a source, that each weight is as near as its format allows.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class)
final class Verify implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "MODEL", description = "Folder of the compressed checkpoint.")
  private Path model;

  @Option(
      names = "--against",
      paramLabel = "SOURCE",
      description = "Folder of the checkpoint that it was made from.")
  private Path against;

  @Mixin private WorkOptions work;

  @Mixin private JsonOption json;

  @Override
  public Integer call() throws InterruptedException {
    VerificationReport report;
    try (ProgressDisplay progress = ProgressDisplay.on(spec.commandLine().getErr())) {
      report =
          Quern.verify(
              model, Optional.ofNullable(against), work.threads(), work.memory(), progress);
    }
    spec.commandLine()
        .getOut()
        .print(json.wanted() ? report.toJson() : Tables.verification(report));
    return report.ok() ? ExitCode.OK : ExitCode.VERIFICATION;
  }
}
