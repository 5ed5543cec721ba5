package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.testdata.TinyCheckpoint;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Widths that are no multiple of a group: one error for all of them, with advice that fits. */
class UndividedGroupsTest {
  @TempDir Path temp;

  private void refused(TinyCheckpoint model, String scheme, String... messages) {
    Path in = model.write(temp.resolve("in"));
    assertThatThrownBy(() -> Quern.plan(CompressionOptions.of(in, temp.resolve("out"), scheme)))
        .isInstanceOfSatisfying(
            QuernException.class, e -> assertThat(e.kind()).isEqualTo(QuernException.Kind.REQUEST))
        .hasMessageContainingAll(messages);
  }

  @Test
  void allModulesAreCounted() {
    refused(
        TinyCheckpoint.llama("BF16"),
        "W4A16",
        "the weights of 7 modules (model.layers.0.",
        ", ...) have 32 or 48 columns, which groups of 128 do not divide",
        "Add them to --ignore, give a --recipe with a group_size that divides them (16), or use a"
            + " scheme by channel such as FP8_DYNAMIC or W8A8.");
  }

  @Test
  void fixedGroupsHaveNoOtherSize() {
    refused(
        TinyCheckpoint.llama("BF16"),
        "MXFP4A16",
        "the weight of model.layers.0.mlp.down_proj has 48 columns, which groups of 32 do not",
        "Add it to --ignore, or use a scheme by channel such as FP8_DYNAMIC or W8A8.");
  }

  @Test
  void sizesOfNoUseAreNotNamed() {
    refused(
        TinyCheckpoint.llama("BF16").random("model.layers.0.mlp.down_proj.weight", 32, 172),
        "W4A16",
        "32 or 172 columns",
        "Add them to --ignore, or use a scheme by channel");
  }
}
