package dev.quern.formats.compressedtensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class QuantizationConfigTest {
  private static final String GROUP =
      "{'targets': ['Linear'], 'weights': {'num_bits': 8, 'type': 'float', 'strategy': 'channel'},"
          + " 'input_activations': {'type': 'float', 'strategy': 'token', 'dynamic': true}}";
  private static final String CONFIG = "{'config_groups': {'group_0': " + GROUP + "}}";

  @Test
  void isFoundInThreePlacesInThisOrder() {
    assertThat(QuantizationConfig.ofModel(json("{'model_type': 'llama'}"))).isEmpty();
    assertThat(QuantizationConfig.ofModel(json("{'quantization_config': null}"))).isEmpty();
    String first = "'quantization_config': {'version': 'first'}";
    String second = "'text_config': {'quantization_config': {'version': 'second'}}";
    String third = "'compression_config': {'version': 'third'}";
    assertThat(versionOf("{" + third + "," + second + "," + first + "}")).contains("first");
    assertThat(versionOf("{" + third + "," + second + "}")).contains("second");
    assertThat(versionOf("{" + third + "}")).contains("third");
  }

  @Test
  void unknownKeysAtTheTopAreIgnored() {
    QuantizationConfig config = read(CONFIG.replaceFirst("\\{", "{'author': 'someone', "));
    assertThat(config).isEqualTo(read(CONFIG));
    assertThat(config.toJson().has("author")).isFalse();
  }

  @Test
  void unknownKeysWithinAreRefusedWithTheirPlace() {
    assertThatThrownBy(() -> read(CONFIG.replace("'num_bits'", "'bits': 8, 'num_bits'")))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("config.json")
        .hasMessageContaining("group_0")
        .hasMessageContaining("weights")
        .hasMessageContaining("unknown key \"bits\"");
    assertThatThrownBy(() -> read(CONFIG.replace("'targets'", "'modules': [], 'targets'")))
        .hasMessageContaining("unknown key \"modules\"")
        .hasMessageContaining("input_activations, output_activations, targets, weights");
  }

  @Test
  void aPresetsNameMayStandForItsScheme() {
    QuantizationConfig config =
        read("{'config_groups': {'W8A8': ['Linear', 're:.*x'], 'group_1': " + GROUP + "}}");
    assertThat(config.configGroups().keySet()).containsExactly("W8A8", "group_1");
    assertThat(config.configGroups().get("W8A8"))
        .isEqualTo(PresetSchemes.named("W8A8").scheme(List.of("Linear", "re:.*x")));
    assertThat(config.format()).isEqualTo(CompressionFormat.MIXED_PRECISION);
    assertThatThrownBy(() -> read("{'config_groups': {'W8A9': ['Linear']}}"))
        .hasMessageContaining("config_groups.W8A9: unknown scheme \"W8A9\"")
        .hasMessageContaining("Did you mean W8A8");
    assertThatThrownBy(() -> read("{'config_groups': {'W8A8': [1]}}"))
        .hasMessageContaining("expected a list of strings, found a number in it");
    assertThatThrownBy(() -> read("{'config_groups': {'W8A8': 'Linear'}}"))
        .hasMessageContaining("expected a scheme, or a list of targets")
        .hasMessageContaining("found a string");
  }

  @Test
  void absentKeysHaveDefaults() {
    QuantizationConfig config = read("{}");
    assertThat(config.configGroups()).isEmpty();
    assertThat(config.format()).isEqualTo(CompressionFormat.DENSE);
    assertThat(config.ignore()).isEmpty();
    assertThat(config.kvCacheScheme()).isEmpty();
    assertThat(config.quantizationStatus()).isEqualTo(QuantizationStatus.INITIALIZED);
    assertThat(config.version()).isEmpty();
    assertThat(config.toJson().members().keySet())
        .containsExactly(
            "config_groups",
            "format",
            "global_compression_ratio",
            "ignore",
            "kv_cache_scheme",
            "quant_method",
            "quantization_status",
            "sparsity_config",
            "transform_config",
            "version");
    assertThat(read("{'global_compression_ratio': 1.5}").globalCompressionRatio())
        .contains(Json.of(1.5));
  }

  @Test
  void anotherMethodIsRefused() {
    assertThatThrownBy(() -> read("{'quant_method': 'gptq'}"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("expected \"compressed-tensors\", found \"gptq\"")
        .hasMessageContaining("Start from the model before it was quantized.");
  }

  @Test
  void sparseCheckpointsAreRefused() {
    assertThat(read("{'sparsity_config': {'format': 'dense'}}").sparsityConfig().members())
        .isNotEmpty();
    assertThatThrownBy(() -> read("{'sparsity_config': {'format': 'sparse-24-bitmask'}}"))
        .hasMessageContaining("no longer part of compressed-tensors");
    assertThatThrownBy(() -> read("{'format': 'marlin-24'}"))
        .hasMessageContaining("no longer part of compressed-tensors");
  }

  @Test
  void groupsAreNumberedByFirstAppearance() {
    QuantizationScheme a = PresetSchemes.named("W4A16").scheme(List.of("re:.*mlp.*"));
    QuantizationScheme b = PresetSchemes.named("W8A16").scheme(List.of("re:.*attn.*"));
    QuantizationConfig config =
        QuantizationConfig.builder().add(b).add(a).add(b).add(a).ignore(List.of("lm_head")).build();
    assertThat(config.configGroups().keySet()).containsExactly("group_0", "group_1");
    assertThat(config.configGroups().get("group_0").targets()).containsExactly("re:.*attn.*");
    assertThat(config.configGroups().get("group_1").format())
        .contains(CompressionFormat.PACK_QUANTIZED);
    assertThat(config.format())
        .as("two schemes of one format are not mixed")
        .isEqualTo(CompressionFormat.PACK_QUANTIZED);
    assertThat(config.formats()).containsExactly(CompressionFormat.PACK_QUANTIZED);
    assertThat(config.quantizationStatus()).isEqualTo(QuantizationStatus.COMPRESSED);
  }

  @Test
  void aCacheSchemeAloneIsDense() {
    QuantizationArgs fp8 =
        QuantizationArgs.builder().type(QuantizationType.FLOAT).numBits(8).build();
    Json.Obj json = QuantizationConfig.builder().kvCacheScheme(fp8).build().toJson();
    assertThat(json.string("format")).contains("dense");
    assertThat(json.object("config_groups").orElseThrow().members()).isEmpty();
    assertThat(json.array("ignore")).contains(List.of());
    assertThat(json.object("kv_cache_scheme")).contains(fp8.toJson());
  }

  @Test
  void aSchemeRefusesWhatReadersRefuse() {
    assertThatThrownBy(() -> read(CONFIG.replace("'targets': ['Linear'],", "")))
        .hasMessageContaining("expected \"targets\"");
    assertThatThrownBy(
            () -> read(CONFIG.replace("'strategy': 'token', 'dynamic': true", "'group_size': -1")))
        .hasMessageContaining("input_activations: strategy channel is for weights");
    assertThatThrownBy(
            () -> read(CONFIG.replace("'dynamic': true", "'dynamic': true, 'actorder': 'static'")))
        .hasMessageContaining("input_activations: actorder orders the columns of a weight");
    assertThatThrownBy(
            () -> read(CONFIG.replace("'targets'", "'format': 'mixed-precision', 'targets'")))
        .hasMessageContaining("mixed-precision is the format of a whole configuration");
    assertThatThrownBy(() -> read(CONFIG.replace("'targets'", "'format': 'zip', 'targets'")))
        .hasMessageContaining("unknown format \"zip\"");
  }

  private static Optional<String> versionOf(String model) {
    return QuantizationConfig.ofModel(json(model)).orElseThrow().version();
  }

  private static QuantizationConfig read(String text) {
    return QuantizationConfig.fromJson(json(text));
  }

  private static Json.Obj json(String text) {
    return (Json.Obj)
        JsonReader.parse(text.replace('\'', '"').getBytes(StandardCharsets.UTF_8), "config.json");
  }
}
