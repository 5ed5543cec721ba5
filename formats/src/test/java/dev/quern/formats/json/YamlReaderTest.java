package dev.quern.formats.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.formats.CheckpointException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class YamlReaderTest {
  @Test
  void readsWhatPeopleWrite() {
    Json.Obj read =
        parse(
            """
            # a comment
            quant_stage:
              quant_modifiers:
                QuantizationModifier:
                  ignore: [lm_head, "re:.*gate$"]
                  weights: {num_bits: 8, symmetric: true, observer: null}
                  targets:
                    - 're:.*\\.q_proj'
                    - Linear
            """);

    assertThat(read.toString())
        .isEqualTo(
            """
            {"quant_stage":{"quant_modifiers":{"QuantizationModifier":{"ignore":["lm_head",\
            "re:.*gate$"],"weights":{"num_bits":8,"symmetric":true,"observer":null},\
            "targets":["re:.*\\\\.q_proj","Linear"]}}}}\
            """);
    Json.Obj stage = read.object("quant_stage").orElseThrow();
    assertThat(stage.object("quant_modifiers").orElseThrow().where())
        .isEqualTo("test: quant_stage: quant_modifiers");
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      value = {
        "~, null",
        "Null, null",
        "TRUE, true",
        "false, false",
        "'true', `\"true\"`",
        "yes, `\"yes\"`",
        "12, 12",
        "+12, 12",
        "-0, 0",
        "0o17, 15",
        "0xFF, 255",
        "010, 10",
        "1.5, 1.5",
        ".5, 0.5",
        "1., 1",
        "1e-3, 0.001",
        ".inf, Infinity",
        "-.Inf, -Infinity",
        ".nan, NaN",
        "1e, `\"1e\"`",
        "1_000, `\"1_000\"`",
        "torch.int8, `\"torch.int8\"`",
        "!!str 12, `\"12\"`",
      })
  void scalarsFollowTheCoreSchema(String yaml, String json) {
    assertThat(parse("a: " + yaml).toString()).isEqualTo("{\"a\":" + json + "}");
  }

  @Test
  void jsonIsYaml() {
    assertThat(parse("{\"a\": [1, true, null, \"x\\u0041\"]}").toString())
        .isEqualTo("{\"a\":[1,true,null,\"xA\"]}");
  }

  @Test
  void aliasesRepeatAValue() {
    assertThat(parse("a: &x {b: 1}\nc: [*x, *x]").toString())
        .isEqualTo("{\"a\":{\"b\":1},\"c\":[{\"b\":1},{\"b\":1}]}");
  }

  @Test
  void aliasesCannotMultiplyWithoutEnd() {
    StringBuilder bomb = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 10; i++) {
      bomb.append("a").append(i).append(": &a").append(i).append(" [");
      bomb.append(("*a" + (i - 1) + ", ").repeat(10)).append("]\n");
    }
    refused(bomb.toString(), "test, line 5", "more than 100000 values, aliases written out");
  }

  @Test
  void depthHasALimit() {
    assertThat(parse("a: " + "[".repeat(YamlReader.MAX_DEPTH) + "]".repeat(YamlReader.MAX_DEPTH)))
        .isNotNull();
    refused(
        "a: " + "[".repeat(YamlReader.MAX_DEPTH + 1) + "]".repeat(YamlReader.MAX_DEPTH + 1),
        "test, line 1",
        "more than 50 levels");
    refused("a: " + "[".repeat(100_000), "test", "not valid YAML");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a: 1\\na: 2                             | line 2, column 1 | stands twice",
        "a: !!python/tuple [x]                   | line 1           | python/tuple is not read",
        "a: !!python/object/apply:os.system [ls] | line 1           | is not read",
        "a: !!binary aGk=                        | line 1           | is not read",
        "a: &x [*x]                              | line 1           | refers to nothing before it",
        "a: *nothing                             | line 1           | refers to nothing",
        "a: 1\\n---\\nb: 2                       | line 2           | a second document",
        "? [a, b]\\n: c                          | line 1           | a text as a key",
        "a: [1, 2                                | line 1           | not valid YAML",
        "a: b: c                                 | line 1           | not valid YAML",
        "[1, 2]                                  | test             | expected a mapping",
        "a                                       | test             | expected a mapping",
        "''                                      | test             | empty",
        "#                                       | test             | empty",
      })
  void refusals(String yaml, String place, String problem) {
    refused(yaml.replace("\\n", "\n"), place, problem);
  }

  @Test
  void bytesAreCheckedFirst() {
    assertThatThrownBy(() -> YamlReader.parseObject(new byte[] {'a', ':', (byte) 0xFF}, "test"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("UTF-8");
    assertThatThrownBy(() -> YamlReader.parseObject(new byte[YamlReader.MAX_BYTES + 1], "test"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("at most 1048576 bytes");
    assertThatThrownBy(() -> YamlReader.readObject(Path.of("no/such/recipe.yaml")))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("no such file");
  }

  private static void refused(String yaml, String place, String problem) {
    assertThatThrownBy(() -> parse(yaml))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(place)
        .hasMessageContaining(problem);
  }

  private static Json.Obj parse(String yaml) {
    return YamlReader.parseObject(yaml.getBytes(StandardCharsets.UTF_8), "test");
  }
}
