package dev.quern.formats.compressedtensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.engine.numeric.DType;
import dev.quern.formats.CheckpointException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class PresetSchemesTest {
  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      value = {
        // name, bits, type, strategy, group, then the same of the inputs
        "FP8, 8, FLOAT, TENSOR, -, 8, FLOAT, TENSOR, -, FALSE",
        "FP8_DYNAMIC, 8, FLOAT, CHANNEL, -, 8, FLOAT, TOKEN, -, TRUE",
        "FP8_BLOCK, 8, FLOAT, BLOCK, -, 8, FLOAT, GROUP, 128, TRUE",
        "W8A8, 8, INT, CHANNEL, -, 8, INT, TOKEN, -, TRUE",
        "INT8, 8, INT, CHANNEL, -, 8, INT, TOKEN, -, TRUE",
        "W8A16, 8, INT, GROUP, 128, -, -, -, -, -",
        "W4A16, 4, INT, GROUP, 128, -, -, -, -, -",
        "W4A16_ASYM, 4, INT, GROUP, 128, -, -, -, -, -",
        "W2A16, 2, INT, GROUP, 128, -, -, -, -, -",
        "W3A16, 3, INT, GROUP, 128, -, -, -, -, -",
        "W5A16, 5, INT, GROUP, 128, -, -, -, -, -",
        "W6A16, 6, INT, GROUP, 128, -, -, -, -, -",
        "W7A16, 7, INT, GROUP, 128, -, -, -, -, -",
        "W2A8, 2, INT, GROUP, 128, 8, INT, TOKEN, -, TRUE",
        "W3A8, 3, INT, GROUP, 128, 8, INT, TOKEN, -, TRUE",
        "W4A8, 4, INT, GROUP, 128, 8, INT, TOKEN, -, TRUE",
        "W5A8, 5, INT, GROUP, 128, 8, INT, TOKEN, -, TRUE",
        "W6A8, 6, INT, GROUP, 128, 8, INT, TOKEN, -, TRUE",
        "W7A8, 7, INT, GROUP, 128, 8, INT, TOKEN, -, TRUE",
        "W2A4, 2, INT, GROUP, 128, 4, INT, TOKEN, -, TRUE",
        "W3A4, 3, INT, GROUP, 128, 4, INT, TOKEN, -, TRUE",
        "W4A4, 4, INT, GROUP, 128, 4, INT, TOKEN, -, TRUE",
        "W4AFP8, 4, INT, GROUP, 128, 8, FLOAT, TOKEN, -, TRUE",
        "NVFP4A16, 4, FLOAT, TENSOR_GROUP, 16, -, -, -, -, -",
        "NVFP4, 4, FLOAT, TENSOR_GROUP, 16, 4, FLOAT, TENSOR_GROUP, 16, LOCAL",
        "MXFP4A16, 4, FLOAT, GROUP, 32, -, -, -, -, -",
        "MXFP4, 4, FLOAT, GROUP, 32, 4, FLOAT, GROUP, 32, TRUE",
        "MXFP8A16, 8, FLOAT, GROUP, 32, -, -, -, -, -",
        "MXFP8, 8, FLOAT, GROUP, 32, 8, FLOAT, GROUP, 32, TRUE",
      })
  void theTable(
      String name,
      int bits,
      QuantizationType type,
      QuantizationStrategy strategy,
      Integer group,
      Integer inputBits,
      QuantizationType inputType,
      QuantizationStrategy inputStrategy,
      Integer inputGroup,
      DynamicType inputDynamic) {
    PresetSchemes.Preset preset = PresetSchemes.named(name);
    QuantizationArgs weights = preset.weights().orElseThrow();
    assertThat(weights.numBits()).isEqualTo(bits);
    assertThat(weights.type()).isEqualTo(type);
    assertThat(weights.strategy()).isEqualTo(strategy);
    assertThat(weights.groupSize()).isEqualTo(size(group));
    assertThat(weights.symmetric()).isEqualTo(!name.endsWith("_ASYM"));
    assertThat(weights.dynamic()).isEqualTo(DynamicType.FALSE);
    assertThat(weights.observer()).contains("memoryless_minmax");
    assertThat(weights.actorder()).isEmpty();
    assertThat(weights.isMicroscaling()).isEqualTo(name.startsWith("MX"));
    Optional<QuantizationArgs> inputs = preset.inputActivations();
    assertThat(inputs.isPresent()).isEqualTo(inputBits != null);
    if (inputs.isPresent()) {
      assertThat(inputs.get().numBits()).isEqualTo(inputBits);
      assertThat(inputs.get().type()).isEqualTo(inputType);
      assertThat(inputs.get().strategy()).isEqualTo(inputStrategy);
      assertThat(inputs.get().groupSize()).isEqualTo(size(inputGroup));
      assertThat(inputs.get().dynamic()).isEqualTo(inputDynamic);
      assertThat(inputs.get().observer())
          .isEqualTo(
              inputDynamic == DynamicType.TRUE ? Optional.empty() : Optional.of("static_minmax"));
      assertThat(inputs.get().symmetric()).isTrue();
    }
  }

  @Test
  void namesAreCaseInsensitive() {
    List<String> names = PresetSchemes.names();
    assertThat(names).hasSize(30).contains("UNQUANTIZED").doesNotHaveDuplicates();
    for (String name : names) {
      assertThat(PresetSchemes.named(name.toLowerCase(Locale.ROOT)))
          .isEqualTo(PresetSchemes.named(name));
      assertThat(PresetSchemes.isKnown(" " + name.toLowerCase(Locale.ROOT))).isTrue();
    }
  }

  @Test
  void scaleAndZeroPointDtypes() {
    assertThat(weights("NVFP4").scaleDtype()).contains(DType.F8_E4M3);
    assertThat(weights("NVFP4").zpDtype()).isEqualTo(DType.F8_E4M3);
    assertThat(weights("MXFP4").scaleDtype()).contains(DType.U8);
    assertThat(weights("MXFP8").zpDtype()).isEqualTo(DType.U8);
    assertThat(weights("FP8").scaleDtype()).isEmpty();
    assertThat(weights("W4A16_ASYM").zpDtype()).isEqualTo(DType.I8);
    assertThat(weights("FP8_BLOCK").blockStructure()).contains(new BlockStructure(128, 128));
  }

  @Test
  void unquantizedHasNothing() {
    assertThat(PresetSchemes.named("UNQUANTIZED").weights()).isEmpty();
    assertThat(PresetSchemes.named("UNQUANTIZED").inputActivations()).isEmpty();
  }

  @Test
  void onlyStaticInputsNeedCalibration() {
    assertThat(
            PresetSchemes.names().stream().filter(n -> PresetSchemes.named(n).needsCalibration()))
        .containsExactly("FP8", "NVFP4");
  }

  @Test
  void anotherNameIsTakenAndTold() {
    assertThat(PresetSchemes.named("w8a8-fp8")).isEqualTo(PresetSchemes.named("FP8_DYNAMIC"));
    assertThat(PresetSchemes.aliasNote("w8a8-fp8"))
        .contains("scheme w8a8-fp8 is taken as FP8_DYNAMIC");
    assertThat(PresetSchemes.aliasNote("FP8_DYNAMIC")).isEmpty();
    assertThat(PresetSchemes.aliasNote("nothing")).isEmpty();
  }

  @Test
  void anUnknownNameGetsASuggestionAndTheList() {
    assertThatThrownBy(() -> PresetSchemes.named("FP8_DYNAMC"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("unknown scheme \"FP8_DYNAMC\"")
        .hasMessageContaining("Did you mean FP8_DYNAMIC?")
        .hasMessageContaining("UNQUANTIZED, FP8, FP8_DYNAMIC");
    assertThatThrownBy(() -> PresetSchemes.named("W4A17"))
        .hasMessageContaining("Did you mean W4A16?");
    assertThatThrownBy(() -> PresetSchemes.named("fp9")).hasMessageContaining("Did you mean FP8?");
    assertThatThrownBy(() -> PresetSchemes.named("something-entirely-else"))
        .hasMessageNotContaining("Did you mean")
        .hasMessageContaining("The schemes are UNQUANTIZED");
    assertThat(PresetSchemes.isKnown("FP8_DYNAMC")).isFalse();
  }

  @Test
  void editDistance() {
    assertThat(NearestNames.distance("", "abc")).isEqualTo(3);
    assertThat(NearestNames.distance("kitten", "sitting")).isEqualTo(3);
    assertThat(NearestNames.distance("same", "same")).isZero();
    assertThat(NearestNames.to("W9A8", List.of("W1A8", "W2A8", "W3A8", "W4A8")))
        .containsExactly("W1A8", "W2A8", "W3A8");
  }

  private static QuantizationArgs weights(String name) {
    return PresetSchemes.named(name).weights().orElseThrow();
  }

  private static OptionalInt size(Integer group) {
    return group == null ? OptionalInt.empty() : OptionalInt.of(group);
  }
}
