package dev.quern.cli;

import dev.quern.pipeline.Inspection;
import dev.quern.pipeline.Quern;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code quern inspect}: what is in a checkpoint. */
@Command(
    name = "inspect",
    description = "Say what is in a checkpoint, compressed or not.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class)
final class Inspect implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "MODEL", description = "Folder with config.json and *.safetensors.")
  private Path model;

  @Mixin private JsonOption json;

  @Override
  public Integer call() {
    Inspection inspection = Quern.inspect(model);
    spec.commandLine()
        .getOut()
        .print(json.wanted() ? inspection.toJson() : Tables.inspection(inspection));
    return ExitCode.OK;
  }
}
