package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.numeric.DType;
import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.safetensors.SafetensorsWriter;
import dev.quern.formats.safetensors.TensorSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The same input gives the same bytes, whatever the number of threads and the memory budget. */
@Tag("twin")
class DeterminismTest {
  @TempDir Path temp;

  @ParameterizedTest
  @CsvSource({
    "FP8_DYNAMIC, BF16",
    "FP8_BLOCK, BF16",
    "FP8_DYNAMIC, F16",
    "FP8_BLOCK, F32",
    "NVFP4A16, BF16",
    "NVFP4A16, F16",
    "MXFP4A16, BF16",
    "MXFP8A16, F32",
    "W8A8, BF16",
    "W8A8, F32",
    "W4A16, BF16",
    "W4A16_ASYM, BF16",
    "W4A16_ASYM, F16",
    "W3A16, F32",
    "W6A8, BF16"
  })
  void threadsAndMemoryLeaveNoTrace(String scheme, FloatType type) throws Exception {
    Path source = temp.resolve("source");
    writeModel(source, type, unit(scheme));
    CompressionOptions once =
        CompressionOptions.of(source, temp.resolve("one"), scheme).withThreads(1);
    Quern.compress(once, Progress.NONE);

    for (int threads : new int[] {2, 7}) {
      for (long memory : new long[] {3_000_000, CompressionOptions.DEFAULT_MEMORY}) {
        Path output = temp.resolve("t" + threads + "m" + memory);
        Quern.compress(
            CompressionOptions.of(source, output, scheme)
                .withThreads(threads)
                .withMemoryBytes(memory),
            Progress.NONE);
        assertSameFiles(temp.resolve("one"), output);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"FP8_DYNAMIC", "FP8_BLOCK", "W8A8", "W4A16", "W4A16_ASYM"})
  void shardsHoldTheSameTensors(String scheme) throws Exception {
    Path source = temp.resolve("source");
    writeModel(source, FloatType.BF16, unit(scheme));
    CompressionOptions whole = CompressionOptions.of(source, temp.resolve("whole"), scheme);
    CompressionOptions cut =
        CompressionOptions.of(source, temp.resolve("cut"), scheme).withMaxShardBytes(500_000);
    Quern.compress(whole, Progress.NONE);
    CompressionReport report = Quern.compress(cut, Progress.NONE);

    assertThat(report.plan().shards().shards().size()).isGreaterThan(1);
    assertThat(specs(cut.output())).isEqualTo(specs(whole.output()));
    VerificationReport sound =
        Quern.verify(
            cut.output(), Optional.of(source), cut.threads(), cut.memoryBytes(), Progress.NONE);
    assertThat(sound.problems()).isEmpty();
    assertThat(sound.quantizedModules()).isEqualTo(unit(scheme) > 1 ? 4 : 3);
    assertThat(sound.errors()).isEqualTo(report.errors());
  }

  private static List<TensorSpec> specs(Path model) {
    return Quern.inspect(model).tensors().stream().map(t -> t.info().spec()).toList();
  }

  private static void assertSameFiles(Path expected, Path actual) throws Exception {
    try (Stream<Path> files = Files.list(expected)) {
      List<Path> all = files.sorted().toList();
      assertThat(all).hasSizeGreaterThanOrEqualTo(2);
      for (Path file : all) {
        assertThat(actual.resolve(file.getFileName())).hasSameBinaryContentAs(file);
      }
    }
  }

  /** What groups ask of the number of columns. */
  private static int unit(String scheme) {
    boolean grouped = !scheme.contains("FP8_") && !scheme.equals("W8A8");
    return grouped ? scheme.startsWith("W") ? 128 : 32 : 1;
  }

  /**
   * Odd sizes, several pieces of work for each matrix, a row of zeros and rows of very different
   * size.
   *
   * @param unit what columns of Linears are a multiple of; above 1 there is a fused set, too
   */
  private static void writeModel(Path folder, FloatType type, int unit) throws Exception {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"llama\"}");
    DType dtype = type.dtype();
    List<TensorSpec> tensors = new ArrayList<>();
    tensors.addAll(
        List.of(
            TensorSpec.of("model.embed_tokens.weight", dtype, 301, 130),
            TensorSpec.of("model.layers.0.input_layernorm.weight", dtype, 130),
            TensorSpec.of("model.layers.0.self_attn.q_proj.weight", dtype, 1, columns(130, unit)),
            TensorSpec.of("model.layers.0.mlp.up_proj.weight", dtype, 1037, columns(1411, unit)),
            TensorSpec.of("model.layers.0.mlp.down_proj.weight", dtype, 130, columns(3001, unit)),
            TensorSpec.of("lm_head.weight", dtype, 301, 130)));
    if (unit > 1) {
      tensors.add(
          TensorSpec.of("model.layers.0.mlp.gate_proj.weight", dtype, 37, columns(1411, unit)));
    }
    SplittableRandom random = new SplittableRandom(7);
    try (Arena arena = Arena.ofConfined();
        SafetensorsWriter writer =
            SafetensorsWriter.create(
                folder.resolve("model.safetensors"), tensors, new TreeMap<>())) {
      for (TensorSpec tensor : tensors) {
        MemorySegment data = arena.allocate(tensor.bytes(), 64);
        long cols = tensor.shape().get(tensor.shape().size() - 1);
        for (long i = 0; i < tensor.elements(); i++) {
          long row = i / cols;
          double gain = row % 17 == 3 ? 0 : Math.scalb(0.02, (int) (row % 23) - 11);
          type.store(data, i * type.bytes(), (float) (random.nextGaussian() * gain));
        }
        writer.write(tensor.name(), 0, data);
      }
    }
  }

  private static int columns(int least, int unit) {
    return Math.ceilDiv(least, unit) * unit;
  }
}
