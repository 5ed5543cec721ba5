package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.testdata.TestData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GenerateTest {
  private static final Path MODEL = TestData.path("models/storyteller-4m");
  private static final String PROMPT = "Once upon a time there was a little";

  /** What transformers generates. */
  private static final String STORY =
      " girl named Lily. She had a big, red ball that she loved to play with. One day, she found a"
          + " big box in the yard.";

  @TempDir Path temp;

  private static GenerationReport generate(GenerationOptions options) throws InterruptedException {
    return Quern.generate(options, _ -> {});
  }

  @Test
  void textIsThatOfTransformers() throws InterruptedException {
    List<String> pieces = new ArrayList<>();
    GenerationReport report =
        Quern.generate(GenerationOptions.of(MODEL, PROMPT).withMaxTokens(30), pieces::add);

    assertThat(report.text()).isEqualTo(STORY);
    assertThat(String.join("", pieces)).isEqualTo(STORY);
    assertThat(pieces).hasSizeGreaterThan(20);
    assertThat(report.promptTokens()).isEqualTo(9);
    assertThat(report.tokens()).hasSize(30).startsWith(525);
    assertThat(report.ended()).isFalse();
    assertThat(report.notes()).isEmpty();
  }

  /** The model with another configuration. */
  private Path changed(String from, String to) throws IOException {
    Path folder = Files.createDirectory(temp.resolve("changed"));
    for (String file : new String[] {"model.safetensors", "tokenizer.json"}) {
      Files.copy(MODEL.resolve(file), folder.resolve(file));
    }
    String config = Files.readString(MODEL.resolve("config.json"));
    assertThat(config).contains(from);
    Files.writeString(folder.resolve("config.json"), config.replace(from, to));
    return folder;
  }

  /** 15 is the full stop. */
  @Test
  void endTokensEnd() throws IOException, InterruptedException {
    Path folder = changed("\"eos_token_id\": 1", "\"eos_token_id\": [1, 15]");
    GenerationReport report = generate(GenerationOptions.of(folder, PROMPT));
    assertThat(report.ended()).isTrue();
    assertThat(report.text()).isEqualTo(" girl named Lily");
    assertThat(report.tokens()).doesNotContain(15);
  }

  @Test
  void memoryAndThreadsChangeNothing() throws InterruptedException {
    Path compressed = temp.resolve("compressed");
    Quern.compress(CompressionOptions.of(MODEL, compressed, "W8A8"), Progress.NONE);
    GenerationOptions options = GenerationOptions.of(compressed, PROMPT).withMaxTokens(3);
    GenerationReport kept = generate(options.withThreads(1));
    GenerationReport again = generate(options.withThreads(3).withMemoryBytes(2_500_000));

    assertThat(kept.text()).startsWith(" girl named Lily");
    assertThat(kept.notes()).isEmpty();
    assertThat(again.tokens()).isEqualTo(kept.tokens());
    assertThat(again.notes()).singleElement().asString().contains("decoded for each token anew");
  }

  @Test
  void charactersOfSeveralTokensComeWhole() throws InterruptedException {
    List<String> pieces = new ArrayList<>();
    Quern.generate(
        GenerationOptions.of(TestData.path("models/stories260K-hf"), "Zoë said: naïve")
            .withMaxTokens(20),
        pieces::add);
    assertThat(pieces).isNotEmpty().noneMatch(piece -> piece.contains("\uFFFD"));
  }

  @Test
  void lengthEndsWithTheModel() throws IOException, InterruptedException {
    Path folder = changed("\"max_position_embeddings\": 1024", "\"max_position_embeddings\": 11");
    GenerationReport report = generate(GenerationOptions.of(folder, PROMPT));
    assertThat(report.notes()).singleElement().asString().contains("max_position_embeddings, 11");
    assertThat(report.text()).isEqualTo(" girl named Lily");
  }

  private static void isRefused(GenerationOptions options, String... parts) {
    assertThatThrownBy(() -> generate(options))
        .isInstanceOf(QuernException.class)
        .hasMessageContainingAll(parts);
  }

  @Test
  void unusableRequestsAreRefused() {
    isRefused(GenerationOptions.of(MODEL, PROMPT).withChat(true), "no chat template");
    isRefused(GenerationOptions.of(TestData.path("models/tiny/llama"), PROMPT), "tokenizer.json");
    isRefused(GenerationOptions.of(MODEL, "word ".repeat(3000)), "max_position_embeddings, 1024");
    isRefused(
        GenerationOptions.of(MODEL, PROMPT).withMaxTokens(900).withMemoryBytes(1_000_000),
        "keys and values of 909 tokens need");
    assertThatThrownBy(() -> GenerationOptions.of(MODEL, ""))
        .isInstanceOf(QuernException.class)
        .hasMessageContaining("--prompt");
    assertThatThrownBy(() -> GenerationOptions.of(MODEL, "a").withMaxTokens(0))
        .isInstanceOf(QuernException.class)
        .hasMessageContaining("--max-tokens 0");
  }

  @Test
  void chatTemplateIsPutAroundThePrompt() throws IOException, InterruptedException {
    Path chat = changed("\"eos_token_id\": 1", "\"eos_token_id\": 2");
    Files.writeString(
        chat.resolve("chat_template.jinja"),
        "<|begin_of_text|>{{ messages[0].content }}{% if add_generation_prompt %} there was a"
            + " little{% endif %}");
    GenerationReport report =
        generate(GenerationOptions.of(chat, "Once upon a time").withChat(true).withMaxTokens(30));
    assertThat(report.promptTokens()).isEqualTo(9);
    assertThat(report.text()).isEqualTo(STORY);
  }
}
