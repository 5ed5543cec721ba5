package dev.quern.cli;

import dev.quern.pipeline.QuernException;
import java.io.PrintWriter;
import java.nio.channels.ClosedByInterruptException;
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
    versionProvider = Version.class,
    subcommands = {
      Compress.class,
      Decompress.class,
      Eval.class,
      Generate.class,
      Inspect.class,
      Pack.class,
      Plan.class,
      Unpack.class,
      Verify.class,
      Doctor.class
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "  0:done",
      "  1:a fault of quern itself",
      "  2:the command line is wrong: an unknown option, scheme, or pattern",
      "  3:the checkpoint is refused: missing, damaged, or not usable",
      "  4:the output cannot be written: it exists, is full, or may not be written",
      "  5:what was written, or looked at, does not hold what it should",
      "130:interrupted"
    })
final class Main implements Runnable {
  @Spec private CommandSpec spec;

  private Main() {}

  public static void main(String[] args) {
    System.exit(run(args));
  }

  /** Runs a command line and gives its exit code. */
  static int run(String... args) {
    CommandLine commandLine = commandLine();
    try (Interruption _ = Interruption.ofThisThread()) {
      return commandLine.execute(args);
    } catch (OutOfMemoryError e) {
      commandLine
          .getErr()
          .println(
              "quern: the JVM's heap is too small for this checkpoint's headers and configuration;"
                  + " give it more with QUERN_JAVA_OPTS=-Xmx2g.");
      return ExitCode.INPUT;
    } finally {
      commandLine.getOut().flush();
      commandLine.getErr().flush();
    }
  }

  static CommandLine commandLine() {
    return new CommandLine(new Main())
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler((e, args) -> UsageError.report(e))
        .setExecutionExceptionHandler((e, commandLine, parsed) -> report(e, commandLine));
  }

  /**
   * An interrupt also closes the file that is being read or written, which then is the first to say
   * so.
   */
  private static boolean isInterruption(Throwable e) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof InterruptedException || cause instanceof ClosedByInterruptException) {
        return true;
      }
    }
    return false;
  }

  private static int report(Exception e, CommandLine commandLine) {
    PrintWriter err = commandLine.getErr();
    if (isInterruption(e)) {
      err.println("quern: interrupted.");
      return ExitCode.INTERRUPTED;
    }
    switch (e) {
      case QuernException refused -> {
        err.println("quern: " + TextTable.printable(refused.getMessage()));
        return ExitCode.of(refused);
      }
      default -> {
        err.println("quern: this is a fault of quern itself; please report it with these lines:");
        e.printStackTrace(err);
        return ExitCode.FAULT;
      }
    }
  }

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(),
        "Which command? It is one of " + String.join(", ", spec.subcommands().keySet()) + ".");
  }
}
