package dev.quern.engine.sparsity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The notation of masks. */
class MaskStructureTest {
  @Test
  void readsTheReferencesNotation() {
    assertThat(MaskStructure.parse("2:4")).isEqualTo(MaskStructure.TWO_OF_FOUR);
    assertThat(MaskStructure.parse("0:0")).isEqualTo(MaskStructure.UNSTRUCTURED);
    assertThat(MaskStructure.parse("4:8")).hasToString("4:8");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "2", "2:", ":4", "a:b", "2:4:8"})
  void refusesWhatIsNoMask(String text) {
    assertThatThrownBy(() -> MaskStructure.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "mask_structure \"" + text + "\": expected N:M, like 2:4, or 0:0 for zeros anywhere");
  }

  @ParameterizedTest
  @ValueSource(strings = {"4:4", "0:4", "-1:4", "5:4", "2:0"})
  void refusesMasksThatPruneNothingOrAll(String text) {
    assertThatThrownBy(() -> MaskStructure.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("mask_structure " + text + ": expected N:M with N zeros");
  }
}
