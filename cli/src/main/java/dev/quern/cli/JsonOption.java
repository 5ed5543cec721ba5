package dev.quern.cli;

import picocli.CommandLine.Option;

/** {@code --json}, the same for every command. */
final class JsonOption {
  @Option(names = "--json", description = "Print one JSON document instead of text.")
  private boolean json;

  boolean wanted() {
    return json;
  }
}
