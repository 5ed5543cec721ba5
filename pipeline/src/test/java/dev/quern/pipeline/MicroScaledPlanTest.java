package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.testdata.TestData;
import dev.quern.testdata.TinyCheckpoint;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What NVFP4, MXFP4 and MXFP8 refuse before anything is computed. */
class MicroScaledPlanTest {
  @TempDir Path temp;

  @ParameterizedTest
  @CsvSource({"NVFP4A16, 16", "MXFP4A16, 32", "MXFP8A16, 32"})
  void columnsAreAMultipleOfTheGroup(String scheme, int group) {
    // down_proj of the ragged model has 200 columns.
    assertThatThrownBy(() -> Quern.plan(options("ragged", scheme)))
        .isInstanceOf(QuernException.class)
        .hasMessageContaining("model.layers.0.mlp.down_proj")
        .hasMessageContaining("200 columns, which groups of " + group + " do not divide");
    CompressionPlan plan =
        Quern.plan(options("ragged", scheme).withIgnore(List.of("re:.*down_proj")));
    assertThat(plan.quantizedTensors()).isEqualTo(12);
  }

  @ParameterizedTest
  @CsvSource({"q_proj, k_proj", "up_proj, gate_proj"})
  void fusedMatricesAreQuantizedTogether(String ignored, String sibling) {
    CompressionOptions divided =
        options("plain", "NVFP4A16").withIgnore(List.of("re:.*layers.1.*" + ignored));
    assertThatThrownBy(() -> Quern.plan(divided))
        .isInstanceOf(QuernException.class)
        .hasMessageContaining("." + sibling)
        .hasMessageContaining("must have one global scale, but not all are quantized")
        .hasMessageContaining("all of them or none");
    // Formats without a global scale do not care.
    assertThat(
            Quern.plan(options("plain", "MXFP4A16").withIgnore(divided.ignore()))
                .quantizedTensors())
        .isEqualTo(13);
  }

  @Test
  void inputsOfNvfp4NeedCalibration() {
    assertThat(Quern.plan(options("plain", "NVFP4")).needsCalibration()).isTrue();
    assertThat(Quern.plan(options("plain", "NVFP4A16")).needsCalibration()).isFalse();
  }

  @Test
  void fusedMatricesOfTwoTypesHaveNoCommonScale() {
    Path in =
        TinyCheckpoint.llama("BF16")
            .with(TinyCheckpoint.LAYER + "self_attn.k_proj.weight", "F32", new byte[4096], 32, 32)
            .write(temp.resolve("in"));
    CompressionOptions options = CompressionOptions.of(in, temp.resolve("out"), "NVFP4A16");
    assertThatThrownBy(() -> Quern.plan(options))
        .isInstanceOf(QuernException.class)
        .hasMessageContaining("self_attn.q_proj, ")
        .hasMessageContaining("from weights of one type");
    assertThat(Quern.plan(options.withIgnore(List.of("re:.*self_attn.*"))).quantizedTensors())
        .isEqualTo(3);
  }

  private CompressionOptions options(String shape, String scheme) {
    return CompressionOptions.of(
        TestData.path("golden/source/" + shape + "-bf16"), temp.resolve("out"), scheme);
  }
}
