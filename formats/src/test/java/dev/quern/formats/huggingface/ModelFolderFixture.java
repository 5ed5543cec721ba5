package dev.quern.formats.huggingface;

import dev.quern.formats.safetensors.ShardedIndex;
import dev.quern.testdata.RawSafetensors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Builds small model folders, right and wrong. */
final class ModelFolderFixture {
  private ModelFolderFixture() {}

  /** A file with a text, its folders made as needed. */
  static Path text(Path file, String text) {
    try {
      Files.createDirectories(file.getParent());
      return Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A safetensors file with one-byte tensors of these names. */
  static Path weights(Path file, String... tensors) {
    StringBuilder header = new StringBuilder("{");
    for (int i = 0; i < tensors.length; i++) {
      header.append(i == 0 ? "" : ",").append('"').append(tensors[i]);
      header.append("\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[");
      header.append(i).append(',').append(i + 1).append("]}");
    }
    text(file, "");
    return RawSafetensors.write(file, header.append('}').toString(), tensors.length);
  }

  /** An index that maps the tensors at even places of the list to the files that follow them. */
  static Path index(Path folder, String... tensorThenFile) {
    StringBuilder json = new StringBuilder("{\"metadata\":{},\"weight_map\":{");
    for (int i = 0; i < tensorThenFile.length; i += 2) {
      json.append(i == 0 ? "" : ",").append('"').append(tensorThenFile[i]).append("\":\"");
      json.append(tensorThenFile[i + 1]).append('"');
    }
    return text(folder.resolve(ShardedIndex.FILE_NAME), json.append("}}").toString());
  }

  /** A folder with config.json and one weight file of tensors {@code a} and {@code b}. */
  static Path single(Path folder) {
    text(folder.resolve("config.json"), "{\"model_type\":\"llama\"}");
    weights(folder.resolve("model.safetensors"), "a", "b");
    return folder;
  }

  /** A folder with config.json, an index and two shards: {@code a, b} and {@code c}. */
  static Path sharded(Path folder) {
    text(folder.resolve("config.json"), "{\"model_type\":\"llama\"}");
    weights(folder.resolve("model-00001-of-00002.safetensors"), "a", "b");
    weights(folder.resolve("model-00002-of-00002.safetensors"), "c");
    index(
        folder,
        "a",
        "model-00001-of-00002.safetensors",
        "b",
        "model-00001-of-00002.safetensors",
        "c",
        "model-00002-of-00002.safetensors");
    return folder;
  }
}
