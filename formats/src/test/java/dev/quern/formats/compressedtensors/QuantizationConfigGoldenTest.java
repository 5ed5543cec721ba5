package dev.quern.formats.compressedtensors;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Configurations that the reference wrote. */
final class QuantizationConfigGoldenTest {
  private static final Pattern PLAIN = Pattern.compile("(.+?)(-ragged)?-(bf16|f16|f32)");
  private static final Json VERSION = Json.of("any");

  @Test
  void everyConfigurationIsWrittenAsItWasRead() {
    int quantized = 0;
    int plain = 0;
    for (String name : GoldenNames.all()) {
      Optional<QuantizationConfig> config = QuantizationConfig.ofModel(GoldenNames.config(name));
      if (config.isEmpty()) {
        assertThat(name).matches("(SPARSEGPT|WANDA)-.*");
        plain++;
        continue;
      }
      // The text shows null, {} and 0.0 apart, and proves that no key is missing.
      assertThat(JsonWriter.pretty(config.get().toJson()))
          .as(name)
          .isEqualTo(JsonWriter.pretty(written(name)));
      quantized++;
    }
    assertThat(quantized).isEqualTo(61);
    assertThat(plain).isEqualTo(6);
  }

  @Test
  void presetsGiveTheSameConfigurationFromTheTableAlone() {
    List<String> seen = new ArrayList<>();
    for (String name : GoldenNames.all()) {
      Matcher parts = PLAIN.matcher(name);
      assertThat(parts.matches()).as(name).isTrue();
      if (!PresetSchemes.isKnown(parts.group(1))) {
        continue;
      }
      assertSame(name, configOf(preset(parts.group(1))));
      seen.add(parts.group(1));
    }
    assertThat(seen).hasSize(43);
    assertThat(seen.stream().distinct())
        .containsExactlyInAnyOrder(
            "FP8",
            "FP8_BLOCK",
            "FP8_DYNAMIC",
            "MXFP4",
            "MXFP4A16",
            "MXFP8",
            "MXFP8A16",
            "NVFP4",
            "NVFP4A16",
            "W2A16",
            "W3A16",
            "W4A16",
            "W4A16_ASYM",
            "W4A8",
            "W5A16",
            "W6A16",
            "W8A16",
            "W8A8");
  }

  @Test
  void gptqDiffersFromThePresetByItsColumnOrder() {
    assertSame("GPTQ-W4A16-bf16", gptq("W4A16", ActivationOrdering.STATIC));
    assertSame("GPTQ-W4A16-f32", gptq("W4A16", ActivationOrdering.STATIC));
    assertSame("GPTQ-W4A16-group-bf16", gptq("W4A16", ActivationOrdering.GROUP));
    assertSame("GPTQ-W4A16-none-bf16", gptq("W4A16", null));
    assertSame("GPTQ-W4A16_ASYM-bf16", gptq("W4A16_ASYM", ActivationOrdering.STATIC));
    assertSame("GPTQ-W4A16_ASYM-f32", gptq("W4A16_ASYM", ActivationOrdering.STATIC));
    assertSame("GPTQ-W8A8-bf16", gptq("W8A8", ActivationOrdering.STATIC));
    assertSame("GPTQ-NVFP4-bf16", gptq("NVFP4", ActivationOrdering.STATIC));
    assertSame("GPTQ-NVFP4-f32", gptq("NVFP4", ActivationOrdering.STATIC));
  }

  @Test
  void transformsAndPruningLeaveThePresetsConfiguration() {
    assertSame("AWQ-W4A16_ASYM-bf16", configOf(preset("W4A16_ASYM")));
    assertSame("AWQ-W4A16_ASYM-f32", configOf(preset("W4A16_ASYM")));
    assertSame("SMOOTH-W8A8-bf16", configOf(preset("W8A8")));
    assertSame("SPARSEGPT-24-FP8-bf16", configOf(preset("FP8_DYNAMIC")));
  }

  @Test
  void otherChoicesOfTheUser() {
    QuantizationScheme mse = preset("W4A16");
    QuantizationArgs mseWeights =
        mse.weights().orElseThrow().toBuilder().observer("memoryless_mse").build();
    assertSame("W4A16-mse-bf16", configOf(mse.withWeights(mseWeights)));

    assertSame(
        "W4AFP8-pack-bf16",
        configOf(preset("W4AFP8").withFormat(CompressionFormat.PACK_QUANTIZED)));

    QuantizationArgs fp8 = PresetSchemes.named("FP8").weights().orElseThrow(); // static, by tensor
    assertSame(
        "FP8_DYNAMIC-kv-bf16",
        QuantizationConfig.builder()
            .add(preset("FP8_DYNAMIC"))
            .ignore(List.of("lm_head"))
            .kvCacheScheme(fp8)
            .build());

    assertSame(
        "MIXED-bf16",
        QuantizationConfig.builder()
            .add(
                PresetSchemes.named("FP8_DYNAMIC").scheme(List.of("re:.*self_attn.(q|k|v|o)_proj")))
            .add(PresetSchemes.named("NVFP4").scheme(List.of("re:.*mlp.*")))
            .ignore(List.of("lm_head"))
            .build());

    Json.Obj transforms = written("SPIN-R1R2-W4A16-bf16").object("transform_config").orElseThrow();
    assertThat(transforms.members()).isNotEmpty();
    assertSame(
        "SPIN-R1R2-W4A16-bf16",
        QuantizationConfig.builder()
            .add(preset("W4A16"))
            .ignore(List.of("lm_head"))
            .transformConfig(transforms)
            .build());
  }

  @Test
  void theVersionIsTheReferencesOwn() {
    assertThat(written("W4A16-bf16").string("version")).contains(QuantizationConfig.FORMAT_VERSION);
  }

  private static QuantizationScheme preset(String name) {
    return PresetSchemes.named(name).scheme(List.of(ModuleClass.LINEAR));
  }

  private static QuantizationConfig gptq(String name, ActivationOrdering order) {
    QuantizationScheme scheme = preset(name);
    QuantizationArgs weights = scheme.weights().orElseThrow().toBuilder().actorder(order).build();
    return configOf(scheme.withWeights(weights));
  }

  private static QuantizationConfig configOf(QuantizationScheme scheme) {
    return QuantizationConfig.builder().add(scheme).ignore(List.of("lm_head")).build();
  }

  private static void assertSame(String name, QuantizationConfig ours) {
    assertThat(JsonWriter.pretty(ours.toJson().with("version", VERSION)))
        .as(name)
        .isEqualTo(JsonWriter.pretty(written(name).with("version", VERSION)));
  }

  private static Json.Obj written(String name) {
    return GoldenNames.config(name).object("quantization_config").orElseThrow();
  }
}
