package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.formats.compressedtensors.PresetSchemes;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.recipe.Recipe;
import dev.quern.formats.recipe.RecipeRule;
import dev.quern.testdata.TestData;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The weights of schemes whose activations need calibration: every tensor but the scales of inputs
 * equals the reference's.
 */
@Tag("twin")
class GoldenWeightsTest {
  @TempDir Path temp;

  @ParameterizedTest
  @CsvSource({
    "FP8, bf16, FP8-bf16, 14, naive-quantized",
    "NVFP4, bf16, NVFP4-bf16, 14, nvfp4-pack-quantized"
  })
  void weightsAloneEqualTheReferences(
      String scheme, String dtype, String golden, int modules, String format) throws Exception {
    Path source = TestData.path("golden/source/plain-" + dtype);
    QuantizationScheme weightsOnly =
        QuantizationScheme.of(
            List.of("Linear"), PresetSchemes.named(scheme).weights(), Optional.empty());
    Recipe recipe = Recipe.of("test", List.of(new RecipeRule(scheme, weightsOnly)));
    CompressionOptions options =
        CompressionOptions.of(source, temp.resolve("out"), recipe).withThreads(2);
    Quern.compress(options, Progress.NONE);
    assertThat(Quern.verify(temp.resolve("out"), Optional.of(source), 2, 1 << 26, Progress.NONE))
        .satisfies(
            report -> {
              assertThat(report.problems()).isEmpty();
              assertThat(report.quantizedModules()).isEqualTo(modules);
            });
    try (HuggingFaceCheckpoint ours = HuggingFaceCheckpoint.open(temp.resolve("out"));
        HuggingFaceCheckpoint theirs =
            HuggingFaceCheckpoint.open(TestData.path("golden/schemes/" + golden));
        Arena arena = Arena.ofConfined()) {
      List<SourceTensor> expected =
          theirs.tensors().stream()
              .filter(t -> !t.name().matches(".*\\.input_(global_)?scale"))
              .toList();
      assertThat(ours.tensors().stream().map(SourceTensor::name))
          .containsExactlyInAnyOrderElementsOf(expected.stream().map(SourceTensor::name).toList());
      for (SourceTensor tensor : expected) {
        SourceTensor found = ours.find(tensor.name()).orElseThrow();
        assertThat(found.info().spec()).isEqualTo(tensor.info().spec());
        assertThat(bytes(found, arena).mismatch(bytes(tensor, arena)))
            .as(tensor.name())
            .isEqualTo(-1);
      }
      assertThat(ours.config().object("quantization_config").orElseThrow().string("format"))
          .contains(format);
    }
  }

  private static MemorySegment bytes(SourceTensor tensor, Arena arena) {
    return tensor.file().map(tensor.info(), 0, tensor.info().bytes(), arena);
  }
}
