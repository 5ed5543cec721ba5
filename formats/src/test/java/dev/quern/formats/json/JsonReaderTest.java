package dev.quern.formats.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.quern.formats.CheckpointException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JsonReaderTest {
  @TempDir Path folder;

  private static Json parse(String text) {
    return JsonReader.parse(text.getBytes(StandardCharsets.UTF_8), "config.json");
  }

  private static void refuses(String text, String... parts) {
    assertThatExceptionOfType(CheckpointException.class)
        .isThrownBy(() -> parse(text))
        .withMessageContainingAll(parts);
  }

  @Test
  void keepsOrderAndLiterals() {
    Json.Obj object = (Json.Obj) parse("{\"z\":1e-06,\"a\":[1.0,-0,true,null,\"x\"],\"m\":{}}");
    assertThat(object.members().keySet()).containsExactly("z", "a", "m");
    assertThat(JsonWriter.compact(object))
        .isEqualTo("{\"z\":1e-06,\"a\":[1.0,-0,true,null,\"x\"],\"m\":{}}");
  }

  @Test
  void acceptsWhatPythonWritesForNonFiniteNumbers() {
    assertThat(JsonWriter.compact(parse("[NaN, Infinity, -Infinity]")))
        .isEqualTo("[NaN,Infinity,-Infinity]");
    refuses("[INF]", "not valid JSON", "INF");
    refuses("[+INF]", "not valid JSON", "expected a number, found \"+INF\"");
  }

  @Test
  void refusesANameTwiceWithItsPlace() {
    refuses(
        "{\n  \"é\": 1,\n  \"a\": {\"b\": 1, \"b\": 2}\n}",
        "config.json, line 3, column 17 (byte 29)",
        "\"b\" stands twice",
        "expected each name once",
        "original source");
  }

  @Test
  void refusesBrokenSyntaxWithItsPlace() {
    refuses("{\"a\": 1,\n \"b\": }", "config.json, line 2", "byte 15", "not valid JSON");
    refuses("{\"a\": 1", "not valid JSON");
    refuses("[1, 2,]", "not valid JSON");
    refuses("[01]", "not valid JSON");
    refuses("{'a': 1}", "not valid JSON");
    refuses("[1] // no", "not valid JSON");
    refuses("\"tab\there\"", "not valid JSON");
    refuses("", "the document is empty");
    refuses("{} {}", "something follows the end");
    refuses("\uFEFF{}", "not valid JSON");
  }

  @Test
  void refusesHalfASurrogatePair() {
    refuses("{\"a\": \"\\ud800\"}", "surrogate", "byte");
    refuses("{\"\\udc00\": 1}", "surrogate");
  }

  @Test
  void refusesBytesThatAreNotUtf8() {
    byte[] bytes = {'{', '"', 'a', (byte) 0xff, '"', ':', '1', '}'};
    assertThatExceptionOfType(CheckpointException.class)
        .isThrownBy(() -> JsonReader.parse(bytes, "config.json"))
        .withMessageContainingAll("config.json, byte 3", "expected UTF-8", "0xff");
  }

  @Test
  void refusesDeepNesting() {
    int depth = JsonReader.MAX_DEPTH;
    assertThat(parse("[".repeat(depth) + "]".repeat(depth))).isInstanceOf(Json.Arr.class);
    refuses("[".repeat(depth + 1) + "]".repeat(depth + 1), "not valid JSON", "depth");
    refuses("[".repeat(2_000_000), "not valid JSON", "depth");
  }

  @Test
  void refusesADocumentThatIsTooLarge() {
    assertThatExceptionOfType(CheckpointException.class)
        .isThrownBy(() -> JsonReader.parse(new byte[JsonReader.MAX_BYTES + 1], "config.json"))
        .withMessageContainingAll("config.json", "at most 268435456 bytes");
  }

  @Test
  void refusesFilesThatAreMissingOrNoObject() throws IOException {
    Path missing = folder.resolve("none.json");
    assertThatExceptionOfType(CheckpointException.class)
        .isThrownBy(() -> JsonReader.read(missing))
        .withMessageContainingAll("none.json", "no such file");
    assertThatExceptionOfType(CheckpointException.class)
        .isThrownBy(() -> JsonReader.read(folder))
        .withMessageContainingAll(folder.toString(), "cannot be read");
    Path list = Files.writeString(folder.resolve("list.json"), "[]");
    assertThatExceptionOfType(CheckpointException.class)
        .isThrownBy(() -> JsonReader.readObject(list))
        .withMessageContainingAll("list.json", "expected a JSON object");
  }

  @Test
  void typedAccessorsGiveWhatIsThere() {
    Json.Obj object =
        (Json.Obj)
            parse(
                "{\"i\":7,\"d\":0.5,\"s\":\"x\",\"b\":true,\"o\":{\"k\":1},\"l\":[1],\"n\":null}");
    assertThat(object.integer("i")).contains(7L);
    assertThat(object.number("i")).contains(7.0);
    assertThat(object.number("d")).contains(0.5);
    assertThat(object.string("s")).contains("x");
    assertThat(object.bool("b")).contains(true);
    assertThat(object.object("o").orElseThrow().integer("k")).contains(1L);
    assertThat(object.array("l")).contains(List.of(Json.of(1)));
    assertThat(object.string("n")).isEmpty();
    assertThat(object.string("absent")).isEmpty();
    assertThat(object.has("n")).isTrue();
    assertThat(object.find("n")).contains(Json.Null.NULL);
    assertThat(object.find("absent")).isEmpty();
  }

  @Test
  void typedAccessorsNameThePlaceOfAWrongKind() {
    Json.Obj object = (Json.Obj) parse("{\"rope\":[{\"theta\":{\"x\":\"1\",\"y\":1.5}}]}");
    Json.Obj rope = (Json.Obj) object.array("rope").orElseThrow().getFirst();
    Json.Obj theta = rope.object("theta").orElseThrow();
    assertThatExceptionOfType(CheckpointException.class)
        .isThrownBy(() -> theta.integer("x"))
        .withMessageContainingAll(
            "config.json: rope[0]: theta", "\"x\" should be a whole number", "found a string");
    assertThatExceptionOfType(CheckpointException.class)
        .isThrownBy(() -> theta.integer("y"))
        .withMessageContainingAll("\"y\" should be a whole number, found 1.5");
    assertThatExceptionOfType(CheckpointException.class)
        .isThrownBy(() -> object.object("rope"))
        .withMessageContainingAll("\"rope\" should be an object, found a list");
  }

  @Test
  void changesMakeNewObjects() {
    Json.Obj object = Json.Obj.empty().with("a", Json.of(1)).with("b", Json.of("x"));
    assertThat(object.with("a", Json.of(2)).toString()).isEqualTo("{\"a\":2,\"b\":\"x\"}");
    assertThat(object.without("a").toString()).isEqualTo("{\"b\":\"x\"}");
    assertThat(object.toString()).isEqualTo("{\"a\":1,\"b\":\"x\"}");
    assertThat(Json.Obj.empty().members()).isEmpty();
  }
}
