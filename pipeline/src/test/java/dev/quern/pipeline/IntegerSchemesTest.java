package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.formats.compressedtensors.CompressionFormat;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.compressedtensors.QuantizationStrategy;
import dev.quern.formats.recipe.Recipe;
import dev.quern.formats.recipe.RecipeRule;
import dev.quern.formats.safetensors.SafetensorsFile;
import dev.quern.formats.safetensors.TensorInfo;
import dev.quern.testdata.TestData;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Integer checkpoints as a whole: every width, strategy and format; what is refused and found. */
@Tag("twin")
class IntegerSchemesTest {
  private static final Path SOURCE = TestData.path("golden/source/plain-bf16");
  private static final String MODULE = "model.layers.0.self_attn.k_proj";

  @TempDir Path temp;

  /** Each is compressed, and read again within its bound. */
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 6, 7, 8})
  void everyStrategyInBothFormats(int bits) throws Exception {
    int runs = 0;
    for (boolean symmetric : new boolean[] {true, false}) {
      for (CompressionFormat format :
          List.of(CompressionFormat.PACK_QUANTIZED, CompressionFormat.INT_QUANTIZED)) {
        for (QuantizationArgs.Builder strategy :
            List.of(
                QuantizationArgs.builder().strategy(QuantizationStrategy.CHANNEL),
                QuantizationArgs.builder().groupSize(32),
                QuantizationArgs.builder()
                    .strategy(QuantizationStrategy.BLOCK)
                    .blockStructure(48, 40))) {
          QuantizationArgs weights = strategy.numBits(bits).symmetric(symmetric).build();
          Path output = temp.resolve("out" + runs++);
          CompressionReport report = compress(output, weights, format);
          assertThat(report.plan().quantizedTensors()).isEqualTo(14);
          assertThat(problems(output)).isEmpty();
        }
      }
    }
    assertThat(runs).isEqualTo(12);
  }

  /** One scale for a matrix, which is known before its first strip. */
  @ParameterizedTest
  @CsvSource({
    "8, true, INT_QUANTIZED",
    "8, false, INT_QUANTIZED",
    "4, true, PACK_QUANTIZED",
    "3, false, INT_QUANTIZED"
  })
  void oneScaleForAMatrix(int bits, boolean symmetric, CompressionFormat format) throws Exception {
    Path output = temp.resolve("out");
    QuantizationArgs weights =
        QuantizationArgs.builder()
            .numBits(bits)
            .symmetric(symmetric)
            .strategy(QuantizationStrategy.TENSOR)
            .build();
    compress(output, weights, format);
    assertThat(problems(output)).isEmpty();
    try (SafetensorsFile file = SafetensorsFile.open(output.resolve("model.safetensors"))) {
      assertThat(file.find(MODULE + ".weight_scale").orElseThrow().shape()).containsExactly(1L);
      assertThat(file.find(MODULE + ".weight_zero_point").isPresent()).isEqualTo(!symmetric);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "W8A8-bf16",
    "W8A8-f16",
    "W8A8-f32",
    "W8A16-bf16",
    "W4A16-bf16",
    "W4A16-f16",
    "W4A16-f32",
    "W4A16_ASYM-bf16",
    "W4A16_ASYM-f16",
    "W4A16_ASYM-f32",
    "W3A16-bf16",
    "W3A16-f16",
    "W3A16-f32",
    "W2A16-bf16",
    "W5A16-bf16",
    "W6A16-bf16",
    "W4A8-bf16",
    "W4AFP8-pack-bf16"
  })
  void theReferencesCheckpointsAreSound(String golden) throws Exception {
    Path source =
        TestData.path("golden/source/plain-" + golden.substring(golden.lastIndexOf('-') + 1));
    VerificationReport report =
        Quern.verify(
            TestData.path("golden/schemes/" + golden),
            Optional.of(source),
            2,
            1 << 26,
            Progress.NONE);
    assertThat(report.problems()).isEmpty();
    assertThat(report.quantizedModules()).isEqualTo(14);
    assertThat(report.errors()).hasSize(7);
  }

  @Test
  void groupsHaveToDivideTheColumns() {
    CompressionOptions options =
        CompressionOptions.of(
            TestData.path("golden/source/ragged-bf16"), temp.resolve("out"), "W4A16");
    // down_proj has 200 columns there.
    assertThatThrownBy(() -> Quern.plan(options))
        .isInstanceOf(QuernException.class)
        .hasMessageContaining("model.layers.0.mlp.down_proj")
        .hasMessageContaining("200 columns, which groups of 128 do not divide")
        .hasMessageContaining("W8A8")
        .hasMessageContaining("ignore");
  }

  @Test
  void anotherShapeIsFound() throws Exception {
    Path output = temp.resolve("out");
    CompressionOptions options = CompressionOptions.of(SOURCE, output, "W8A16");
    Quern.compress(options, Progress.NONE);
    put(output, "weight_shape", 8, 127);
    assertThat(problems(output)).anyMatch(p -> p.contains(MODULE));
    put(output, "weight_shape", 8, 128);
    assertThat(problems(output)).isEmpty();
  }

  /** 121 and 128 columns take as many words; only the source tells. */
  @Test
  void aShapeOfAsManyWordsIsFoundBesideTheSource() throws Exception {
    Path output = temp.resolve("out");
    QuantizationArgs channel =
        QuantizationArgs.builder().numBits(4).strategy(QuantizationStrategy.CHANNEL).build();
    compress(output, channel, CompressionFormat.PACK_QUANTIZED);
    put(output, "weight_shape", 8, 121);
    assertThat(problems(output))
        .anyMatch(p -> p.contains("weight_shape: expected [64, 128], found [64, 121]"));
  }

  @Test
  void aZeroPointOutOfRangeIsFound() throws Exception {
    Path output = temp.resolve("out");
    QuantizationArgs weights =
        QuantizationArgs.builder().numBits(4).groupSize(32).symmetric(false).build();
    compress(output, weights, CompressionFormat.INT_QUANTIZED);
    put(output, "weight_zero_point", 3, 0x77);
    assertThat(Quern.verify(output, Optional.empty(), 1, 1 << 26, Progress.NONE).problems())
        .contains(
            MODULE
                + ".weight_zero_point, element 3: expected a zero point from -8 to 7, found 119");
  }

  @ParameterizedTest
  @CsvSource({"W8A8, weight", "W4A16, weight_packed", "W4A16_ASYM, weight_zero_point"})
  void aDamagedByteIsFoundBesideTheSource(String scheme, String parameter) throws Exception {
    Path output = temp.resolve("out");
    Quern.compress(CompressionOptions.of(SOURCE, output, scheme), Progress.NONE);
    Path file = output.resolve("model.safetensors");
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer old = ByteBuffer.allocate(1);
      channel.read(old, place(output, parameter));
      put(output, parameter, 0, old.get(0) ^ 0x77);
    }
    assertThat(problems(output)).anyMatch(p -> p.contains(MODULE) || p.contains("k_proj"));
  }

  private CompressionReport compress(
      Path output, QuantizationArgs weights, CompressionFormat format) throws Exception {
    QuantizationScheme scheme =
        QuantizationScheme.of(List.of("Linear"), Optional.of(weights), Optional.empty())
            .withFormat(format);
    Recipe recipe = Recipe.of("test", List.of(new RecipeRule("integers", scheme)));
    return Quern.compress(CompressionOptions.of(SOURCE, output, recipe), Progress.NONE);
  }

  private static List<String> problems(Path output) throws Exception {
    return Quern.verify(output, Optional.of(SOURCE), 2, 1 << 26, Progress.NONE).problems();
  }

  /** Where the data of a parameter begins in the file. */
  private static long place(Path output, String parameter) throws IOException {
    Path path = output.resolve("model.safetensors");
    try (SafetensorsFile file = SafetensorsFile.open(path);
        FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      TensorInfo info = file.find(MODULE + "." + parameter).orElseThrow();
      ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
      channel.read(length, 0);
      return 8 + length.getLong(0) + info.begin();
    }
  }

  /** Overwrites one byte of a parameter. */
  private static void put(Path output, String parameter, int index, int value) throws IOException {
    long place = place(output, parameter) + index;
    Path path = output.resolve("model.safetensors");
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[] {(byte) value}), place);
    }
  }
}
