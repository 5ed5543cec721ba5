package dev.quern.pipeline.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.engine.kernel.Kernels;
import dev.quern.testdata.TestData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The logits of whole models against those that transformers computed in f32. */
class DecoderGoldenTest {
  /** The largest difference that is allowed, over the root mean square of a position's logits. */
  private static final double BOUND = 1e-4;

  @TempDir Path temporary;

  /**
   * The trained models, and those of another folder where a run names one, {@code
   * -Dquern.models=FOLDER}: larger ones that are not part of the project.
   */
  static List<Path> trainedModels() throws IOException {
    String more = System.getProperty("quern.models");
    Path folder = more == null ? TestData.path("models") : Path.of(more);
    try (Stream<Path> folders = Files.list(folder)) {
      return folders
          .filter(path -> Files.exists(path.resolve("golden_logits.safetensors")))
          .sorted()
          .toList();
    }
  }

  @Test
  void thereAreTrainedModels() throws IOException {
    assertTrue(trainedModels().size() >= 3);
  }

  @ParameterizedTest
  @MethodSource("trainedModels")
  void trainedModelsEqualTransformers(Path folder) {
    assertGolden(folder, folder.resolve("golden_logits.safetensors"), 0);
  }

  static List<String> architectures() throws IOException {
    try (Stream<Path> folders = Files.list(TestData.path("models/tiny"))) {
      return folders.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void everyArchitectureHasACheckpoint() throws IOException {
    assertEquals(14, architectures().size());
  }

  @ParameterizedTest
  @MethodSource("architectures")
  void tinyModelsEqualTransformers(String name) {
    Path folder = TestData.path("models/tiny/" + name);
    assertGolden(folder, folder.resolve("golden_logits.safetensors"), 3);
  }

  @ParameterizedTest
  @ValueSource(strings = {"linear", "dynamic", "yarn", "yarn_mscale", "llama3", "longrope"})
  void scaledPositionsEqualTransformers(String name) throws IOException {
    Path llama = TestData.path("models/tiny/llama");
    Files.copy(llama.resolve("model.safetensors"), temporary.resolve("model.safetensors"));
    Files.copy(llama.resolve("rope/" + name + ".json"), temporary.resolve("config.json"));
    assertGolden(temporary, llama.resolve("rope/" + name + ".safetensors"), 3);
  }

  private static void assertGolden(Path folder, Path file, int first) {
    GoldenLogits golden = GoldenLogits.read(file, first);
    for (int sample = 0; sample < golden.ids().length; sample++) {
      float[][] found = ForwardPass.logits(folder, Kernels.best(), 2, golden.ids()[sample]);
      double error = golden.error(sample, found);
      int index = sample;
      assertTrue(error <= BOUND, () -> folder + ", sample " + index + ": relative error " + error);
    }
  }
}
