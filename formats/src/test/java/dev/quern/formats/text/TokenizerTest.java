package dev.quern.formats.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import dev.quern.testdata.TestData;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ids equal those that transformers makes of the same tokenizer.json. */
class TokenizerTest {
  private static final Json.Obj GOLDEN =
      JsonReader.readObject(TestData.path("golden/text/ids.json"));

  @TempDir Path folder;

  private static int[] ids(Json list) {
    return ((Json.Arr) list)
        .items().stream().mapToInt(id -> (int) ((Json.Num) id).asLong().orElseThrow()).toArray();
  }

  private static List<Json> golden(String kind, String model) {
    return GOLDEN.object(kind).orElseThrow().array(model).orElseThrow();
  }

  /**
   * @param different how many of the texts transformers 5 reads otherwise when it builds a
   *     tokenizer of its own for the model's class instead of reading the file (docs/deviations.md)
   */
  @ParameterizedTest
  @CsvSource({
    "stories260K-hf,          models/stories260K-hf,            2",
    "tinystories-656k,        models/tinystories-656k,          8",
    "storyteller-4m,          models/storyteller-4m,            0",
    "storyteller-4m-outliers, models/storyteller-4m,            0",
    "storyteller-moe-8m,      golden/text/storyteller-moe-8m,   0",
    "storyteller-qwen-9m,     golden/text/storyteller-moe-8m,   1",
  })
  void idsAreThoseOfTransformers(String model, String path, int different) {
    List<Json> texts = GOLDEN.array("texts").orElseThrow();
    int otherwise = 0;
    try (Tokenizer tokenizer = Tokenizer.open(TestData.path(path))) {
      for (int i = 0; i < texts.size(); i++) {
        String text = ((Json.Str) texts.get(i)).value();
        int[] ids = tokenizer.encode(text, true);
        assertThat(ids).as(text).isEqualTo(ids(golden("ids", model).get(i)));
        assertThat(tokenizer.encode(text, false))
            .as("%s, plain", text)
            .isEqualTo(ids(golden("plain", model).get(i)));
        otherwise += java.util.Arrays.equals(ids, ids(golden("auto", model).get(i))) ? 0 : 1;
      }
    }
    assertThat(texts).hasSize(12);
    assertThat(otherwise).isEqualTo(different);
  }

  @Test
  void longTextsAreNotCutAndShortOnesNotPadded() throws IOException {
    String json =
        Files.readString(TestData.path("models/stories260K-hf/tokenizer.json"))
            .replaceFirst(
                "\"truncation\": ?null",
                "\"truncation\":{\"direction\":\"Right\",\"max_length\":5,\"strategy\":"
                    + "\"LongestFirst\",\"stride\":0}")
            .replaceFirst(
                "\"padding\": ?null",
                "\"padding\":{\"strategy\":{\"Fixed\":50},\"direction\":\"Right\","
                    + "\"pad_to_multiple_of\":null,\"pad_id\":0,\"pad_type_id\":0,\"pad_token\":"
                    + "\"<unk>\"}");
    assertThat(json).contains("\"max_length\":5", "\"Fixed\":50");
    Files.writeString(folder.resolve("tokenizer.json"), json);
    try (Tokenizer cut = Tokenizer.open(folder);
        Tokenizer whole = Tokenizer.open(TestData.path("models/stories260K-hf"))) {
      assertThat(cut.encode("Once upon a time there was a girl", true))
          .isEqualTo(whole.encode("Once upon a time there was a girl", true));
      assertThat(cut.encode("a b ".repeat(3000), true))
          .isEqualTo(whole.encode("a b ".repeat(3000), true));
      assertThat(whole.decode(whole.encode("a little girl", true))).isEqualTo("a little girl");
    }
  }

  @Test
  void saysWhatIsMissingOrBroken() throws IOException {
    assertThatThrownBy(() -> Tokenizer.open(folder))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContainingAll("tokenizer.json: no such file", "token ids, which need no");
    Files.write(folder.resolve("tokenizer.model"), new byte[3]);
    assertThatThrownBy(() -> Tokenizer.open(folder)).hasMessageContaining("tokenizer.model");
    for (String broken : List.of("", "{", "[]", "{\"version\": \"1.0\"}", "\u0000")) {
      Files.writeString(folder.resolve("tokenizer.json"), broken);
      assertThatThrownBy(() -> Tokenizer.open(folder))
          .as(broken)
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("not a tokenizer that the tokenizers library can read");
    }
    Files.write(
        folder.resolve("tokenizer.json"), "{\"é\":1}".getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> Tokenizer.open(folder)).hasMessageContaining("expected UTF-8");
  }

  private Json messages(String content) {
    return Json.of(
        List.of(Json.Obj.of(Map.of("role", Json.of("user"), "content", Json.of(content)))));
  }

  @Test
  void templateFileWinsOverConfiguration() throws IOException {
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        """
        {"bos_token": "<s>", "eos_token": {"content": "</s>"}, "pad_token": null,
         "chat_template": [{"name": "tool_use", "template": "T"},
           {"name": "default", "template": "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}\
        {{ pad_token is defined }}{{ tools is none }}{{ add_generation_prompt }}"}]}
        """);
    assertThat(ChatTemplate.open(folder).render(messages("x"), null, "here"))
        .isEqualTo("<s>x</s>FalseTrueFalse");
    assertThat(ChatTemplate.open(folder).renderPrompt(messages("x"), "here"))
        .isEqualTo("<s>x</s>FalseTrueTrue");
    Files.writeString(folder.resolve("chat_template.jinja"), "file {{ bos_token }}\n");
    assertThat(ChatTemplate.open(folder).render(messages("x"), null, "here")).isEqualTo("file <s>");
  }

  @Test
  void templatesFailWithTheirPlace() throws IOException {
    assertThatThrownBy(() -> ChatTemplate.open(folder))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContainingAll("no chat template", "give plain text");
    Path file = folder.resolve("chat_template.jinja");
    Files.writeString(file, "a\n{% if %}");
    assertThatThrownBy(() -> ChatTemplate.open(folder))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("chat_template.jinja, line 2: a broken template");
    Files.writeString(file, "{{ raise_exception('one turn only') }}");
    assertThatThrownBy(() -> ChatTemplate.open(folder).render(messages("x"), null, "f, line 3"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContainingAll("f, line 3", "refuses the conversation: one turn only");
  }

  @Test
  void conversationsGetNoSecondBeginning() throws IOException {
    Files.copy(
        TestData.path("models/stories260K-hf/tokenizer.json"), folder.resolve("tokenizer.json"));
    Files.writeString(folder.resolve("chat_template.jinja"), "<s>{{ messages[0].content }}</s>");
    try (TextEncoder encoder = TextEncoder.of(folder)) {
      int[] ids = encoder.encodeChat(messages("girl"), null, "here");
      assertThat(ids).startsWith(1).endsWith(2);
      assertThat(ids[1]).isNotEqualTo(1);
      assertThat(encoder.encode("girl")).startsWith(1).doesNotContain(2);
    }
  }
}
