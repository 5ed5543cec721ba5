package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import dev.quern.testdata.TestData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvalCommandTest {
  private static final String MODEL = TestData.path("models/storyteller-4m").toString();

  @TempDir Path temp;

  private String text() throws IOException {
    String story = "Once upon a time there was a little girl named Lily.\n";
    return Files.writeString(temp.resolve("a.txt"), story.repeat(20)).toString();
  }

  @Test
  void perplexityIsPrinted() throws IOException {
    QuernProcess run = QuernProcess.run("eval", MODEL, "--text", text(), "--window", "64");

    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out())
        .containsPattern("storyteller-4m +plain +as they are +\\d+\\.\\d{3} ± \\d+\\.\\d{3} ")
        .contains("tokens predicted in 3 windows of 64, ")
        .contains(" left out at the end, ");
    assertThat(run.err()).contains("quern: evaluate ").doesNotContain("warning");
  }

  @Test
  void sourceIsComparedWith() throws IOException {
    QuernProcess run =
        QuernProcess.run(
            "eval",
            MODEL,
            "--text",
            text(),
            "--against",
            MODEL,
            "--limit",
            "100",
            "--window",
            "50");

    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out())
        .contains("perplexity     +0.00 ± 0.00 % of the source's")
        .contains("KL divergence  0.00000 ± 0.00000 nats")
        .contains("same top-1     100.0 ± 0.0 %")
        .contains("98 tokens predicted in 2 windows of 50, ");
  }

  @Test
  void jsonHasTheSameNumbers() throws IOException {
    QuernProcess run =
        QuernProcess.run(
            "eval", MODEL, "--text", text(), "--against", MODEL, "--json", "--window", "64");
    Path file = Files.writeString(temp.resolve("out.json"), run.out());
    Json.Obj json = JsonReader.readObject(file);

    assertThat(json.integer("tokens")).hasValue(189L);
    Json.Obj perplexity = json.object("model").orElseThrow().object("perplexity").orElseThrow();
    assertThat(perplexity.number("value").orElseThrow()).isBetween(1.0, 30.0);
    assertThat(perplexity.number("standard_error").orElseThrow()).isPositive();
    Json.Obj comparison = json.object("comparison").orElseThrow();
    assertThat(comparison.object("kl_divergence").orElseThrow().number("value")).hasValue(0.0);
    assertThat(comparison.object("top1_agreement").orElseThrow().number("value")).hasValue(1.0);
  }

  @Test
  void whatCannotBeReadIsRefused() throws IOException {
    String tiny = TestData.path("models/tiny/llama").toString();
    QuernProcess noTokenizer = QuernProcess.run("eval", tiny, "--text", text());
    assertThat(noTokenizer.exitCode()).isEqualTo(ExitCode.INPUT);
    assertThat(noTokenizer.err()).contains("tokenizer.json: no such file");

    QuernProcess window = QuernProcess.run("eval", MODEL, "--text", text(), "--window", "1");
    assertThat(window.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(window.err()).contains("--window 1");

    assertThat(QuernProcess.run("eval", MODEL).exitCode()).isEqualTo(ExitCode.USAGE);
  }
}
