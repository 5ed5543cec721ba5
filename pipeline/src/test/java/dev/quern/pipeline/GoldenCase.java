package dev.quern.pipeline;

import dev.quern.testdata.TestData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A checkpoint of the reference, and what we are asked for to make the same. The name of its folder
 * says it: {@code SCHEME[-pack][-mse][-ragged]-DTYPE}.
 *
 * @param name the folder in {@code golden/schemes}
 * @param scheme name of the preset
 * @param observer name of the weights' observer
 * @param shape which source, {@code plain} or {@code ragged}
 * @param dtype of the source
 */
record GoldenCase(String name, String scheme, String observer, String shape, String dtype) {
  private static final Pattern NAME =
      Pattern.compile("([A-Z0-9_]+?)(-pack)?(-mse)?(-ragged)?-(bf16|f16|f32)");
  private static final Path FOLDER = TestData.path("golden/schemes");

  /** Presets whose activations need calibration data. */
  private static final List<String> CALIBRATED = List.of("FP8", "NVFP4", "MIXED");

  /** All that can be made without calibration data, in the order of their names. */
  static Stream<GoldenCase> withoutCalibration() {
    return names()
        .map(NAME::matcher)
        .filter(Matcher::matches)
        .map(GoldenCase::of)
        .filter(golden -> !CALIBRATED.contains(golden.scheme));
  }

  private static Stream<String> names() {
    try (Stream<Path> folders = Files.list(FOLDER)) {
      return folders.map(folder -> folder.getFileName().toString()).sorted().toList().stream();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static GoldenCase of(Matcher name) {
    return new GoldenCase(
        name.group(),
        name.group(1),
        name.group(3) == null ? "memoryless_minmax" : "memoryless_mse",
        name.group(4) == null ? "plain" : "ragged",
        name.group(5));
  }

  /** What the reference wrote. */
  Path folder() {
    return FOLDER.resolve(name);
  }

  /** What it was made from. */
  Path source() {
    return TestData.path("golden/source/" + shape + "-" + dtype);
  }

  CompressionOptions options(Path output) {
    CompressionOptions options = CompressionOptions.of(source(), output, scheme);
    return observer.equals("memoryless_minmax") ? options : options.withWeightObserver(observer);
  }

  @Override
  public String toString() {
    return name;
  }
}
