package dev.quern.formats.compressedtensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.engine.numeric.DType;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class QuantizationArgsTest {
  @Test
  void theDefaultIsAnEightBitSymmetricStaticIntegerByTensor() {
    QuantizationArgs args = read("{}");
    assertThat(args.numBits()).isEqualTo(8);
    assertThat(args.type()).isEqualTo(QuantizationType.INT);
    assertThat(args.symmetric()).isTrue();
    assertThat(args.groupSize()).isEmpty();
    assertThat(args.strategy()).isEqualTo(QuantizationStrategy.TENSOR);
    assertThat(args.blockStructure()).isEmpty();
    assertThat(args.dynamic()).isEqualTo(DynamicType.FALSE);
    assertThat(args.actorder()).isEmpty();
    assertThat(args.scaleDtype()).isEmpty();
    assertThat(args.zpDtype()).isEqualTo(DType.I8);
    assertThat(args.observer()).contains("memoryless_minmax");
    assertThat(args.observerKwargs().members()).isEmpty();
    assertThat(args).isEqualTo(QuantizationArgs.builder().build());
  }

  @Test
  void writesAllTwelveKeys() {
    assertThat(read("{}").toJson().members().keySet())
        .containsExactly(
            "actorder",
            "block_structure",
            "dynamic",
            "group_size",
            "num_bits",
            "observer",
            "observer_kwargs",
            "scale_dtype",
            "strategy",
            "symmetric",
            "type",
            "zp_dtype");
  }

  @Test
  void infersTheStrategyFromTheGroupSize() {
    assertThat(read("{'group_size': null}").strategy()).isEqualTo(QuantizationStrategy.TENSOR);
    assertThat(read("{'group_size': 128}").strategy()).isEqualTo(QuantizationStrategy.GROUP);
    assertThat(read("{'group_size': -1}").strategy()).isEqualTo(QuantizationStrategy.CHANNEL);
    assertThat(read("{'group_size': -1}").groupSize()).isEqualTo(OptionalInt.of(-1));
    assertThat(read("{'group_size': -1, 'strategy': 'channel'}").strategy())
        .isEqualTo(QuantizationStrategy.CHANNEL);
  }

  @Test
  void infersTheObserver() {
    assertThat(read("{'dynamic': true}").observer()).isEmpty();
    assertThat(read("{'dynamic': true, 'observer': 'minmax'}").observer()).isEmpty();
    assertThat(read("{'observer': 'mse'}").observer()).contains("mse");
    String local = "'dynamic': 'local', 'strategy': 'tensor_group', 'group_size': 16";
    assertThat(read("{" + local + "}").observer()).contains("minmax");
    assertThat(read("{" + local + ", 'observer': 'static_minmax'}").observer())
        .contains("static_minmax");
  }

  @ParameterizedTest
  @CsvSource({
    "int, 4, I8",
    "int, 8, I8",
    "int, 9, I16",
    "int, 16, I16",
    "int, 17, I32",
    "float, 8, F8_E4M3",
    "float, 4, F8_E4M3"
  })
  void infersTheZeroPointDtype(String type, int bits, DType expected) {
    String json = "{'type': '" + type + "', 'num_bits': " + bits + ", 'group_size': 16}";
    assertThat(read(json).zpDtype()).isEqualTo(expected);
  }

  @Test
  void writesTheZeroPointDtypeOnlyWhenAsymmetric() {
    assertThat(read("{'zp_dtype': 'torch.int8'}").toJson().find("zp_dtype"))
        .contains(Json.Null.NULL);
    assertThat(read("{'symmetric': false}").toJson().string("zp_dtype")).contains("torch.int8");
    assertThat(read("{'symmetric': false, 'zp_dtype': 'uint8'}").toJson().string("zp_dtype"))
        .contains("torch.uint8");
  }

  @Test
  void dynamicIsTrueFalseOrLocal() {
    assertThat(read("{'dynamic': true}").toJson().find("dynamic")).contains(Json.of(true));
    assertThat(read("{'dynamic': false}").toJson().find("dynamic")).contains(Json.of(false));
    assertThat(
            read("{'dynamic': 'local', 'strategy': 'tensor_group', 'group_size': 16}")
                .toJson()
                .find("dynamic"))
        .contains(Json.of("local"));
    assertRefused("{'dynamic': 'later'}", "dynamic", "expected one of false, true, local");
  }

  @Test
  void actorderKeepsItsWordAndKnowsItsMeaning() {
    assertThat(actorder("true")).contains(ActivationOrdering.GROUP);
    assertThat(actorder("false")).isEmpty();
    assertThat(actorder("null")).isEmpty();
    assertThat(actorder("'Static'")).contains(ActivationOrdering.STATIC);
    assertThat(actorder("'weight'")).contains(ActivationOrdering.WEIGHT);
    assertThat(actorder("'dynamic'")).contains(ActivationOrdering.DYNAMIC);
    assertThat(ActivationOrdering.STATIC.canonical()).isEqualTo(ActivationOrdering.WEIGHT);
    assertThat(ActivationOrdering.DYNAMIC.canonical()).isEqualTo(ActivationOrdering.GROUP);
    assertThat(read("{'group_size': 8, 'actorder': 'dynamic'}").hasGroupIndex()).isTrue();
    assertThat(read("{'group_size': 8, 'actorder': 'static'}").hasGroupIndex()).isFalse();
    assertThat(read("{'group_size': -1, 'actorder': 'static'}").toJson().string("actorder"))
        .contains("static");
    assertRefused("{'actorder': 'random'}", "actorder", "expected one of group, weight");
    assertRefused(
        "{'group_size': -1, 'actorder': 'group'}",
        "actorder",
        "\"group\" reorders groups, but the strategy is channel");
  }

  @Test
  void blockStructureIsAPairOrAText() {
    assertThat(read("{'strategy': 'block', 'block_structure': '128x64'}").blockStructure())
        .contains(new BlockStructure(128, 64));
    QuantizationArgs block = read("{'strategy': 'block', 'block_structure': [128, 64]}");
    assertThat(block.blockStructure()).contains(new BlockStructure(128, 64));
    assertThat(block.toJson().find("block_structure")).contains(json("[128, 64]"));
    assertRefused("{'strategy': 'block'}", "block_structure", "strategy block needs the size");
    assertRefused(
        "{'block_structure': [1, 1]}", "block_structure", "goes with strategy block only");
    for (String bad : new String[] {"'128'", "'axb'", "'1x2x3'", "[1]", "[1.5, 2]", "['a', 2]"}) {
      assertRefused(
          "{'strategy': 'block', 'block_structure': " + bad + "}", "block_structure", "expected");
    }
    assertRefused(
        "{'strategy': 'block', 'block_structure': [0, 128]}",
        "block_structure",
        "expected two sizes from 1 to 1048576, found [0, 128]");
  }

  @Test
  void refusesContradictions() {
    assertRefused("{'group_size': -2}", "group_size", "found -2");
    assertRefused("{'group_size': 0}", "group_size", "found 0");
    assertRefused("{'group_size': -2, 'strategy': 'channel'}", "group_size", "found -2");
    assertRefused("{'strategy': 'group'}", "group_size", "needs a group_size above 0, found none");
    assertRefused(
        "{'strategy': 'tensor_group', 'group_size': -1}", "group_size", "above 0, found -1");
    assertRefused(
        "{'strategy': 'channel', 'group_size': 128}",
        "group_size",
        "group_size 128 does not go with strategy channel");
    assertRefused("{'strategy': 'token'}", "dynamic", "but dynamic is false");
    assertRefused("{'dynamic': 'local'}", "dynamic", "\"local\" goes with strategy tensor_group");
    assertRefused(
        "{'strategy': 'channel', 'dynamic': true}", "dynamic", "channel cannot be dynamic");
    assertRefused(
        "{'strategy': 'block', 'block_structure': '8x8', 'dynamic': true}",
        "dynamic",
        "block cannot be dynamic");
    assertRefused("{'type': 'float', 'num_bits': 6}", "num_bits", "4 or 8 bits, found 6");
    assertRefused("{'num_bits': 0}", "num_bits", "expected 1 to 32 bits, found 0");
    assertRefused("{'num_bits': 33}", "num_bits", "found 33");
  }

  @Test
  void refusesWhatItDoesNotKnow() {
    assertRefused("{'bits': 8}", "weights", "unknown key \"bits\"");
    assertRefused("{'type': 'bool'}", "type", "expected one of int, float, found \"bool\"");
    assertRefused("{'strategy': 'row'}", "strategy", "attn_head, found \"row\"");
    assertRefused("{'scale_dtype': 'torch.int7'}", "scale_dtype", "found \"torch.int7\"");
    assertRefused("{'num_bits': '8'}", "num_bits", "should be a whole number");
    assertRefused("{'num_bits': 4294967300}", "num_bits", "32-bit number");
    assertRefused("{'symmetric': 1}", "symmetric", "should be true or false");
  }

  @Test
  void caseDoesNotMatter() {
    assertThat(read("{'type': 'FLOAT', 'strategy': 'Tensor'}").type())
        .isEqualTo(QuantizationType.FLOAT);
  }

  @Test
  void keepsTheObserversSettings() {
    QuantizationArgs args = read("{'observer_kwargs': {'maxshrink': 0.2}}");
    assertThat(args.toJson().find("observer_kwargs")).contains(json("{'maxshrink': 0.2}"));
  }

  @Test
  void aChangeIsCheckedAgainstTheRest() {
    QuantizationArgs group = read("{'group_size': 128}");
    assertThat(group.toBuilder().build()).isEqualTo(group);
    assertThatThrownBy(() -> group.toBuilder().strategy(QuantizationStrategy.CHANNEL).build())
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("does not go with strategy channel");
  }

  @Test
  void everyValueSurvivesTheWayThroughJson() {
    int visited = 0;
    for (String name : PresetSchemes.names()) {
      PresetSchemes.Preset preset = PresetSchemes.named(name);
      for (Optional<QuantizationArgs> args :
          java.util.List.of(preset.weights(), preset.inputActivations())) {
        if (args.isPresent()) {
          Json.Obj once = args.get().toJson();
          assertThat(QuantizationArgs.fromJson(once).toJson()).as(name).isEqualTo(once);
          visited++;
        }
      }
    }
    assertThat(visited).isEqualTo(29 + 18);
  }

  private static Optional<ActivationOrdering> actorder(String value) {
    return read("{'group_size': 128, 'actorder': " + value + "}").actorder();
  }

  private static void assertRefused(String json, String where, String problem) {
    assertThatThrownBy(() -> read(json))
        .as(json)
        .isInstanceOfSatisfying(
            CheckpointException.class,
            e -> {
              assertThat(e.getMessage()).startsWith("weights").contains(where).contains(problem);
              assertThat(e.remedy()).isNotBlank().endsWith(".");
            });
  }

  private static QuantizationArgs read(String json) {
    return QuantizationArgs.fromJson((Json.Obj) json(json));
  }

  private static Json json(String text) {
    return JsonReader.parse(text.replace('\'', '"').getBytes(StandardCharsets.UTF_8), "weights");
  }
}
