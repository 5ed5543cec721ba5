package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.testdata.TestData;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code quern plan}. */
class PlanCommandTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir Path folder;

  private int run(Object... arguments) {
    CommandLine commandLine = Main.commandLine();
    commandLine.setOut(new PrintWriter(out));
    commandLine.setErr(new PrintWriter(err));
    String[] texts = new String[arguments.length];
    for (int i = 0; i < texts.length; i++) {
      texts[i] = arguments[i].toString();
    }
    return commandLine.execute(texts);
  }

  private static Path compressed() {
    return TestData.path("golden/schemes").resolve("W4A16-bf16");
  }

  @Test
  void saysWhatRunsACompressedCheckpoint() {
    assertThat(run("plan", compressed(), "--target", "A100,H100")).as(err.toString()).isZero();
    assertThat(out.toString())
        .contains("sm80", "Marlin", "sm90", "not CutlassW4A8: needs", "pack-quantized by vllm");
  }

  @Test
  void jsonHasEveryReason() {
    int code = run("plan", compressed(), "--target", "mi300x", "--json");
    assertThat(code).as(err.toString()).isZero();
    assertThat(out.toString())
        .contains("\"kernel\": ", "\"rejected\": [", "\"target\": \"gfx942\"");
  }

  @Test
  void readsATableOfAnotherVersion() throws Exception {
    Path table = folder.resolve("table.json");
    Files.writeString(table, "{\"kernelTable\": 2}");
    assertThat(run("plan", compressed(), "--table", table)).isEqualTo(ExitCode.INPUT);
    assertThat(err.toString()).contains("expected \"kernelTable\": 1");
  }

  @Test
  void refusesTargetsThatItDoesNotKnow() {
    assertThat(run("plan", compressed(), "--target", "h999")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).contains("unknown target", "sm90 (hopper, h100");
  }

  @Test
  void refusesNumbersOfRanks() {
    assertThat(run("plan", compressed(), "--tensor-parallel", "0")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).contains("--tensor-parallel 0");
  }
}
