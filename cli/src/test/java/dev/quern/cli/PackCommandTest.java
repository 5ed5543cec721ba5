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

/** {@code quern pack} and {@code quern unpack}. */
class PackCommandTest {
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

  @Test
  void packsAndUnpacks() throws Exception {
    Path model = TestData.path("golden/schemes").resolve("W4A16-bf16");
    Path packed = folder.resolve("packed");
    int code = run("pack", model, "--layout", "marlin", "--output", packed, "--archive", "zip");
    assertThat(code).as(err.toString()).isZero();
    assertThat(out.toString()).contains("marlin-i4-a16@1: 14 modules", packed + ".zip");
    Path back = folder.resolve("back");
    assertThat(run("unpack", packed + ".zip", "--output", back)).as(err.toString()).isZero();
    assertThat(Files.mismatch(back.resolve("config.json"), model.resolve("config.json")))
        .isEqualTo(-1);
    String weights = "model.safetensors";
    assertThat(Files.mismatch(back.resolve(weights), model.resolve(weights))).isEqualTo(-1);
  }

  @Test
  void reportsAsJson() {
    Path model = TestData.path("golden/schemes").resolve("W4A16-bf16");
    int code = run("pack", model, "--layout", "gptq", "--output", folder.resolve("p"), "--json");
    assertThat(code).as(err.toString()).isZero();
    assertThat(out.toString()).contains("\"gptq-v2@1\": 14", "\"kept\": []");
  }

  @Test
  void refusalsHaveTheirExitCodes() {
    Path model = TestData.path("golden/schemes").resolve("W4A16-bf16");
    Path output = folder.resolve("p");
    assertThat(run("pack", model, "--output", output)).isEqualTo(ExitCode.USAGE);
    assertThat(run("pack", model, "--layout", "none", "--output", output))
        .isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).contains("unknown layout", "marlin-i4-a16@1");
    assertThat(run("unpack", model, "--output", output)).isEqualTo(ExitCode.INPUT);
    assertThat(err.toString()).contains("layout.json");
    assertThat(output).doesNotExist();
  }
}
