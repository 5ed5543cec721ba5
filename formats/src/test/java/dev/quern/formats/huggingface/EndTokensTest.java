package dev.quern.formats.huggingface;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.testdata.TestData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EndTokensTest {
  @TempDir Path temp;

  private EndTokens of(String config, String generation) throws IOException {
    Files.copy(
        TestData.path("models/stories260K-hf").resolve("model.safetensors"),
        temp.resolve("model.safetensors"));
    Files.writeString(temp.resolve("config.json"), config);
    if (generation != null) {
      Files.writeString(temp.resolve("generation_config.json"), generation);
    }
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(temp)) {
      return EndTokens.of(checkpoint);
    }
  }

  @Test
  void bothFilesAreRead() throws IOException {
    EndTokens tokens = of("{\"eos_token_id\": 9}", "{\"eos_token_id\": [7, 9, 8]}");
    assertThat(tokens.ofText()).hasValue(9);
    assertThat(tokens.all()).containsExactly(7, 8, 9);
  }

  @Test
  void firstOfListEndsTexts() throws IOException {
    EndTokens tokens = of("{\"eos_token_id\": [5, 3]}", null);
    assertThat(tokens.ofText()).hasValue(5);
    assertThat(tokens.all()).containsExactly(3, 5);
  }

  @Test
  void textConfigCounts() throws IOException {
    assertThat(of("{\"text_config\": {\"eos_token_id\": 4}}", null).ofText()).hasValue(4);
  }

  @Test
  void nothingMayBeSaid() throws IOException {
    EndTokens tokens = of("{\"eos_token_id\": null}", "{}");
    assertThat(tokens.ofText()).isEmpty();
    assertThat(tokens.all()).isEmpty();
  }
}
