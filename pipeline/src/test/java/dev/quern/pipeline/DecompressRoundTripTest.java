package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.testdata.TestData;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Compressing, decompressing and compressing again, by what the library itself writes. */
class DecompressRoundTripTest {
  @TempDir Path temp;

  /**
   * The decompressed model is within the bound of the format: it is what verification compares
   * with, and a second compression of it gives the same codes.
   */
  @ParameterizedTest
  @CsvSource({
    "FP8_DYNAMIC, plain-bf16",
    "FP8_DYNAMIC, ragged-f32",
    "FP8_BLOCK, ragged-bf16",
    "FP8_BLOCK, plain-f16"
  })
  void whatComesBackVerifiesAgainstTheCompressed(String scheme, String source) throws Exception {
    Path model = TestData.path("golden/source/" + source);
    Path compressed = temp.resolve("compressed");
    Path plain = temp.resolve("plain");
    Quern.compress(CompressionOptions.of(model, compressed, scheme), Progress.NONE);

    Quern.decompress(DecompressionOptions.of(compressed, plain), Progress.NONE);

    assertThat(specs(plain)).isEqualTo(specs(model));
    VerificationReport report =
        Quern.verify(compressed, Optional.of(plain), 2, 1 << 26, Progress.NONE);
    assertThat(report.problems()).isEmpty();
    assertThat(report.errors()).isNotEmpty();
    report
        .errors()
        .forEach((kind, error) -> assertThat(error.meanRelativeError()).as(kind).isZero());
    assertThat(plain.resolve("config.json")).hasSameTextualContentAs(model.resolve("config.json"));
  }

  /** The class of a module decides between two schemes, when it is read as when it was written. */
  @Test
  void anEmbeddingOfAnotherWidthComesBack() throws Exception {
    Path model = TestData.path("golden/source/plain-bf16");
    Path compressed = temp.resolve("compressed");
    Path plain = temp.resolve("plain");
    Quern.compress(
        CompressionOptions.ofSchemes(model, compressed, List.of("W4A16:Linear", "W8A16:Embedding")),
        Progress.NONE);

    Quern.decompress(DecompressionOptions.of(compressed, plain), Progress.NONE);

    assertThat(Quern.verify(compressed, Optional.of(plain), 2, 1 << 26, Progress.NONE).problems())
        .isEmpty();
  }

  private static List<String> specs(Path model) {
    return Quern.inspect(model).tensors().stream().map(t -> t.info().spec().toString()).toList();
  }

  @ParameterizedTest
  @CsvSource({"W4A16_ASYM-bf16", "NVFP4-bf16", "W3A16-f32", "GPTQ-W4A16-group-bf16"})
  void threadsAndMemoryLeaveNoTrace(String golden) throws Exception {
    Path model = TestData.path("golden/schemes/" + golden);
    Path once = temp.resolve("once");
    Quern.decompress(DecompressionOptions.of(model, once).withThreads(1), Progress.NONE);

    for (int threads : new int[] {2, 7}) {
      Path output = temp.resolve("t" + threads);
      Quern.decompress(
          DecompressionOptions.of(model, output).withThreads(threads).withMemoryBytes(1_000_000),
          Progress.NONE);
      try (Stream<Path> files = Files.list(once)) {
        for (Path file : files.toList()) {
          assertThat(output.resolve(file.getFileName())).hasSameBinaryContentAs(file);
        }
      }
    }
  }

  @Test
  void modulesThatAreNotTargetedAnewBecomePlain() throws Exception {
    Path model = TestData.path("golden/schemes/W4A16-bf16");
    CompressionOptions options =
        CompressionOptions.of(model, temp.resolve("out"), "FP8_DYNAMIC")
            .withIgnore(List.of("re:.*self_attn.*"));

    CompressionReport report = Quern.compress(options, Progress.NONE);

    assertThat(report.plan().tensors())
        .filteredOn(t -> t.name().contains("self_attn"))
        .hasSize(8)
        .allSatisfy(t -> assertThat(t.fate()).isEqualTo("dequantize"))
        .allSatisfy(t -> assertThat(t.reason()).contains("ignored").contains("int4"));
    assertThat(
            Quern.verify(options.output(), Optional.of(model), 2, 1 << 26, Progress.NONE)
                .problems())
        .isEmpty();
  }
}
