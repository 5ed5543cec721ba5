package dev.quern.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The {@code quern} command. */
@Command(
    name = "quern",
    description = "Compresses large language models on CPUs into checkpoints that vLLM loads.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class)
final class Main implements Runnable {
  @Spec private CommandSpec spec;

  private Main() {}

  public static void main(String[] args) {
    System.exit(new CommandLine(new Main()).execute(args));
  }

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "Which command? None was given; see the list below.");
  }
}
