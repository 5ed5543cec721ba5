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

class GenerateCommandTest {
  private static final String MODEL = TestData.path("models/storyteller-4m").toString();
  private static final String PROMPT = "Once upon a time there was a little";

  @TempDir Path temp;

  @Test
  void textIsPrinted() {
    QuernProcess run =
        QuernProcess.run("generate", MODEL, "--prompt", PROMPT, "--max-tokens", "30");

    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out())
        .isEqualTo(
            " girl named Lily. She had a big, red ball that she loved to play with. One day, she"
                + " found a big box in the yard.\n");
    assertThat(run.err()).contains("quern: 9 tokens of prompt in ", "30 generated", "the length");
  }

  @Test
  void jsonHasTextAndTokens() throws IOException {
    QuernProcess run =
        QuernProcess.run("generate", MODEL, "--prompt", PROMPT, "--max-tokens", "3", "--json");
    Json.Obj json = JsonReader.readObject(Files.writeString(temp.resolve("o.json"), run.out()));

    assertThat(json.string("text")).hasValue(" girl named Lily");
    assertThat(json.array("token_ids").orElseThrow()).hasSize(3);
    assertThat(json.string("finish_reason")).hasValue("length");
  }

  @Test
  void unusableRequestsAreRefused() {
    assertThat(QuernProcess.run("generate", MODEL).exitCode()).isEqualTo(ExitCode.USAGE);
    QuernProcess chat = QuernProcess.run("generate", MODEL, "--prompt", PROMPT, "--chat");
    assertThat(chat.exitCode()).isEqualTo(ExitCode.INPUT);
    assertThat(chat.err()).contains("no chat template");
  }
}
