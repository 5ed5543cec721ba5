package dev.quern.formats.compressedtensors;

import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import dev.quern.testdata.TestData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The reference checkpoints whose configurations and headers are in the test data. */
final class GoldenNames {
  private GoldenNames() {}

  /** Names such as {@code W4A16-bf16}, sorted. */
  static List<String> all() {
    try (Stream<Path> files = Files.list(TestData.path("golden/configs"))) {
      return files
          .map(file -> file.getFileName().toString().replace(".json", ""))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The whole config.json. */
  static Json.Obj config(String name) {
    return JsonReader.readObject(TestData.path("golden/configs/" + name + ".json"));
  }

  /** Names with dtypes and shapes of the tensors outside layer 1, which repeats layer 0. */
  static Json.Obj header(String name) {
    return JsonReader.readObject(TestData.path("golden/headers/" + name + ".json"));
  }
}
