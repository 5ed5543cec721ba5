package dev.quern.cli;

import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** A command line that cannot be understood: what is wrong with it, and where help is. */
final class UsageError {
  private UsageError() {}

  static int report(ParameterException wrong) {
    CommandLine command = wrong.getCommandLine();
    PrintWriter err = command.getErr();
    String name = command.getCommandSpec().qualifiedName();
    err.println("quern: " + TextTable.printable(wrong.getMessage()));
    UnmatchedArgumentException.printSuggestions(wrong, err);
    err.print("Usage: " + command.getHelp().abbreviatedSynopsis());
    err.println("See '" + name + " --help'.");
    return ExitCode.USAGE;
  }
}
