package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** A wrong command line is answered in three or four lines, not with all of the help. */
class UsageErrorTest {
  @Test
  void anUnknownOption() {
    QuernProcess run = QuernProcess.run("compress", "M", "--qantize", "--scheme", "W8A8");
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.out()).isEmpty();
    assertThat(run.err().lines())
        .hasSizeLessThanOrEqualTo(5)
        .anySatisfy(line -> assertThat(line).startsWith("quern: ").contains("'--output=DIR'"))
        .anySatisfy(line -> assertThat(line).startsWith("Usage: quern compress "))
        .endsWith("See 'quern compress --help'.");
  }

  @Test
  void aMisspeltCommandGetsTheNearest() {
    QuernProcess run = QuernProcess.run("compres");
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("compress").endsWith("See 'quern --help'.\n");
  }

  @Test
  void helpIsWhole() {
    QuernProcess run = QuernProcess.run("compress", "--help");
    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).contains("--max-shard-size", "--overwrite", "--dry-run", "Example:");
  }
}
