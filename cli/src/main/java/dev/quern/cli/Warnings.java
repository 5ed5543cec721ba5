package dev.quern.cli;

import java.io.PrintWriter;
import java.util.List;

/** What a command says beside its result, a line each. */
final class Warnings {
  private Warnings() {}

  static void print(PrintWriter err, List<String> warnings) {
    warnings.forEach(warning -> err.println("quern: warning: " + TextTable.printable(warning)));
  }
}
