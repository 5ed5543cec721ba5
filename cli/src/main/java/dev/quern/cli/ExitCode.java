package dev.quern.cli;

import dev.quern.pipeline.QuernException;

/** Exit codes of the command; also listed in the README and in {@code quern --help}. */
final class ExitCode {
  /** Done. */
  static final int OK = 0;

  /** A fault of Quern itself. */
  static final int FAULT = 1;

  /** The command line: unknown option, scheme or pattern. */
  static final int USAGE = 2;

  /** The checkpoint that was read is refused. */
  static final int INPUT = 3;

  /** The output cannot be written. */
  static final int OUTPUT = 4;

  /** What was written, or what {@code verify} looked at, does not hold what it should. */
  static final int VERIFICATION = 5;

  /** Interrupted, as shells count it. */
  static final int INTERRUPTED = 130;

  private ExitCode() {}

  static int of(QuernException e) {
    return switch (e.kind()) {
      case REQUEST -> USAGE;
      case INPUT -> INPUT;
      case OUTPUT -> OUTPUT;
      case VERIFICATION -> VERIFICATION;
    };
  }
}
