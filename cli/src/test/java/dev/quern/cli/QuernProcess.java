package dev.quern.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import picocli.CommandLine;

/** What a command line left behind: its exit code and everything it printed. */
record QuernProcess(int exitCode, String out, String err) {
  /** Runs {@code quern} with these arguments in this JVM. */
  static QuernProcess run(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine commandLine =
        Main.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    int exitCode = commandLine.execute(args);
    commandLine.getOut().flush();
    commandLine.getErr().flush();
    return new QuernProcess(exitCode, out.toString(), err.toString());
  }
}
