package dev.quern.formats.compressedtensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.formats.CheckpointException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class CompressionFormatTest {
  @ParameterizedTest
  @CsvSource({
    "UNQUANTIZED, dense",
    "FP8, float-quantized",
    "FP8_DYNAMIC, float-quantized",
    "FP8_BLOCK, float-quantized",
    "W8A8, int-quantized",
    "W8A16, pack-quantized",
    "W3A16, pack-quantized",
    "W4A16_ASYM, pack-quantized",
    "W4A8, int-quantized",
    "W4A4, int-quantized",
    "W4AFP8, int-quantized",
    "NVFP4, nvfp4-pack-quantized",
    "NVFP4A16, nvfp4-pack-quantized",
    "MXFP4, mxfp4-pack-quantized",
    "MXFP4A16, mxfp4-pack-quantized",
    "MXFP8, mxfp8-quantized",
    "MXFP8A16, mxfp8-quantized"
  })
  void theFormatOfEachPreset(String preset, String format) {
    assertThat(CompressionFormat.select(scheme(preset)).configName()).isEqualTo(format);
  }

  @Test
  void theOtherRules() {
    QuantizationArgs fp8 = PresetSchemes.named("FP8").weights().orElseThrow();
    assertThat(CompressionFormat.select(weightOnly(fp8)))
        .as("FP8 weights alone")
        .isEqualTo(CompressionFormat.NAIVE_QUANTIZED);
    QuantizationArgs groups =
        fp8.toBuilder().strategy(QuantizationStrategy.GROUP).groupSize(32).build();
    assertThat(CompressionFormat.select(weightOnly(groups)))
        .as("groups of 32 whose scales are not bytes are no MXFP8")
        .isEqualTo(CompressionFormat.NAIVE_QUANTIZED);
    QuantizationArgs wide = QuantizationArgs.builder().numBits(16).build();
    assertThat(CompressionFormat.select(weightOnly(wide)))
        .isEqualTo(CompressionFormat.NAIVE_QUANTIZED);
  }

  @Test
  void onlyExactClassesAreCompressed() {
    QuantizationScheme scheme = scheme("W4A16");
    assertThat(CompressionFormat.select(scheme, "Linear", Optional.empty()))
        .isEqualTo(CompressionFormat.PACK_QUANTIZED);
    assertThat(CompressionFormat.select(scheme, "Embedding", Optional.empty()))
        .isEqualTo(CompressionFormat.PACK_QUANTIZED);
    assertThat(CompressionFormat.select(scheme, "LinearBase", Optional.empty()))
        .isEqualTo(CompressionFormat.DENSE);
    assertThat(
            CompressionFormat.select(
                scheme("W4AFP8"), "Linear", Optional.of(CompressionFormat.PACK_QUANTIZED)))
        .isEqualTo(CompressionFormat.PACK_QUANTIZED);
  }

  @Test
  void theFormatOfTheWhole() {
    assertThat(CompressionFormat.global(List.of())).isEqualTo(CompressionFormat.DENSE);
    assertThat(
            CompressionFormat.global(
                List.of(CompressionFormat.FLOAT_QUANTIZED, CompressionFormat.FLOAT_QUANTIZED)))
        .isEqualTo(CompressionFormat.FLOAT_QUANTIZED);
    assertThat(
            CompressionFormat.global(
                List.of(CompressionFormat.FLOAT_QUANTIZED, CompressionFormat.PACK_QUANTIZED)))
        .isEqualTo(CompressionFormat.MIXED_PRECISION);
  }

  @Test
  void names() {
    for (CompressionFormat format : CompressionFormat.values()) {
      assertThat(CompressionFormat.named("here", format.configName())).isEqualTo(format);
    }
    assertThatThrownBy(() -> CompressionFormat.named("here", "zip"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("here: unknown format \"zip\"")
        .hasMessageContaining("pack-quantized");
    for (String gone : List.of("marlin-24", "sparse-bitmask", "sparse-24-bitmask")) {
      assertThatThrownBy(() -> CompressionFormat.named("here", gone))
          .hasMessageContaining("no longer part of compressed-tensors");
    }
  }

  private static QuantizationScheme scheme(String preset) {
    return PresetSchemes.named(preset).scheme(List.of("Linear"));
  }

  private static QuantizationScheme weightOnly(QuantizationArgs weights) {
    return QuantizationScheme.of(List.of("Linear"), Optional.of(weights), Optional.empty());
  }
}
