package dev.quern.formats.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShardedIndexTest {
  @TempDir Path folder;

  private ShardedIndex read(String json) throws IOException {
    return ShardedIndex.read(Files.writeString(folder.resolve(ShardedIndex.FILE_NAME), json));
  }

  private void refuses(String json, String... parts) {
    assertThatExceptionOfType(CheckpointException.class)
        .isThrownBy(() -> read(json))
        .withMessageContaining("model.safetensors.index.json")
        .withMessageContainingAll(parts);
  }

  @Test
  void writesTheReferenceForm() throws IOException {
    Map<String, String> weights = new LinkedHashMap<>();
    weights.put("model.b", "model-00002-of-00002.safetensors");
    weights.put("model.a", "model-00001-of-00002.safetensors");
    Path file = folder.resolve(ShardedIndex.FILE_NAME);
    ShardedIndex.of(weights, 5, 10).write(file);
    assertThat(file)
        .hasContent(
            """
            {
              "metadata": {
                "total_parameters": 5,
                "total_size": 10
              },
              "weight_map": {
                "model.a": "model-00001-of-00002.safetensors",
                "model.b": "model-00002-of-00002.safetensors"
              }
            }
            """);
    assertThat(Files.readString(file)).endsWith("}\n");
    ShardedIndex read = ShardedIndex.read(file);
    assertThat(read.weightMap()).isEqualTo(weights);
    assertThat(read.files())
        .containsExactly("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors");
    assertThat(read.metadata().integer("total_size")).contains(10L);
    assertThatExceptionOfType(CheckpointException.class)
        .isThrownBy(() -> read.write(file))
        .withMessageContainingAll("cannot be written", "FileAlreadyExists");
  }

  @Test
  void metadataMayBeMissing() throws IOException {
    assertThat(read("{\"weight_map\":{}}").metadata()).isEqualTo(Json.Obj.empty());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../model.safetensors",
        "/etc/model.safetensors",
        "sub/model.safetensors",
        "..\\\\model.safetensors",
        "C:\\\\model.safetensors",
        "model\\u0000.safetensors",
        "model\\n.safetensors",
        "..",
        ".",
        "",
        ".safetensors",
        "pytorch_model.bin"
      })
  void refusesNamesThatAreNotPlain(String name) {
    refuses(
        "{\"weight_map\":{\"w\":\"" + name + "\"}}",
        "\"w\" should be in a .safetensors file of this folder, found ",
        "do not trust");
    assertThatExceptionOfType(CheckpointException.class)
        .isThrownBy(() -> new ShardedIndex(Json.Obj.empty(), Map.of("w", name)));
  }

  @Test
  void refusesWhatIsNoIndex() {
    refuses("{}", "expected an object \"weight_map\", found none");
    refuses("[]", "expected a JSON object");
    refuses("{\"weight_map\":[]}", "\"weight_map\" should be an object, found a list");
    refuses("{\"weight_map\":{\"w\":1}}", "weight_map", "\"w\" should be a string, found a number");
    refuses("{\"weight_map\":{\"w\":null}}", "\"w\" should be a file name, found null");
    refuses("{\"weight_map\":{\"w\":\"a.safetensors\",\"w\":\"b.safetensors\"}}", "stands twice");
    refuses("{\"weight_map\":{", "not valid JSON");
  }
}
