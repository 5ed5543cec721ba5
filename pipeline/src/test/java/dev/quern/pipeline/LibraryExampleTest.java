package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.testdata.TestData;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example does what it says, and the README shows exactly that code. */
class LibraryExampleTest {
  private static final Path PROJECT = TestData.project();
  private static final Path SOURCE =
      PROJECT.resolve("pipeline/src/test/java/dev/quern/pipeline/LibraryExample.java");

  @TempDir Path temp;

  @Test
  void runs() throws Exception {
    Path model = TestData.path("golden/source/plain-bf16");
    Path output = temp.resolve("out");
    ByteArrayOutputStream printed = new ByteArrayOutputStream();

    CompressionReport report =
        LibraryExample.compress(
            model, output, new PrintStream(printed, true, StandardCharsets.UTF_8));

    // Seven matrices in each of two layers, down_proj of both left as it is.
    assertThat(report.plan().quantizedTensors()).isEqualTo(12);
    assertThat(report.errors())
        .containsOnlyKeys("gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj");
    assertThat(output).isDirectoryContaining("glob:**/model.safetensors");
    long bytes = report.plan().bytesBefore();
    assertThat(printed.toString(StandardCharsets.UTF_8).lines())
        .contains(
            "model.layers.1.mlp.down_proj.weight: copy, ignored by re:.*down_proj",
            "model.layers.1.mlp.up_proj.weight: quantize, FP8_DYNAMIC, float-quantized",
            "compress: " + bytes + " bytes to go through",
            "verify: " + bytes + " bytes to go through",
            2 * bytes + " bytes done, " + report.ratio() + " : 1")
        .filteredOn(line -> line.endsWith(" dB"))
        .hasSize(6);
  }

  @Test
  void theReadmeShowsIt() throws IOException {
    List<String> region =
        between(
            Files.readAllLines(SOURCE, StandardCharsets.UTF_8),
            "// @start region=\"compress\"",
            "// @end");
    assertThat(region).as("the region in " + SOURCE).hasSizeGreaterThan(10);
    String example = region.stream().collect(Collectors.joining("\n")).stripIndent();

    List<String> readme =
        between(
            Files.readAllLines(PROJECT.resolve("README.md"), StandardCharsets.UTF_8),
            "```java",
            "```");

    assertThat(String.join("\n", readme)).isEqualTo(example);
  }

  /** The lines between the first line that is {@code begin} and the next that is {@code end}. */
  private static List<String> between(List<String> lines, String begin, String end) {
    return lines.stream()
        .map(String::stripTrailing)
        .dropWhile(line -> !line.strip().equals(begin))
        .skip(1)
        .takeWhile(line -> !line.strip().equals(end))
        .toList();
  }
}
