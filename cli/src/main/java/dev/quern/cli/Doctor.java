package dev.quern.cli;

import dev.quern.pipeline.Diagnosis;
import dev.quern.pipeline.Quern;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code quern doctor}: how fast this machine is, and why. */
@Command(
    name = "doctor",
    description = "Say which kernels run on this machine and how fast; takes a few seconds.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class)
final class Doctor implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Mixin private JsonOption json;

  @Override
  public Integer call() {
    Diagnosis diagnosis = Quern.diagnose();
    spec.commandLine()
        .getOut()
        .print(json.wanted() ? diagnosis.toJson() : Tables.diagnosis(diagnosis));
    return ExitCode.OK;
  }
}
