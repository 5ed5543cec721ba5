package dev.quern.formats.target.selection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.PresetSchemes;
import dev.quern.formats.target.selection.KernelLayer.Cut;
import dev.quern.formats.target.selection.KernelLayer.Role;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Gates from both sides, flags, and that every question has exactly one answer. */
class KernelSelectorTest {
  private static final Serving BF16 = Serving.of("bfloat16");

  @ParameterizedTest
  @CsvSource({
    // scheme, target, rows, columns, kernel
    "W4A16, sm90, 128, 128, Machete",
    "W4A16, sm90, 192, 128, Marlin",
    "W4A16_CHANNEL, sm90, 128, 64, Machete",
    "W4A16_CHANNEL, sm90, 128, 96, Marlin",
    "W8A16_CHANNEL, sm89, 16, 16, AllSpark",
    "W8A16_CHANNEL, sm89, 24, 16, Marlin",
    "W8A16_CHANNEL, sm89, 16, 24, Marlin",
    "W4A16_ACTORDER, sm80, 64, 128, Marlin",
    "W4A16_ACTORDER, sm80, 96, 128, -",
    "FP8_BLOCK, sm90, 64, 128, FlashInferFp8DeepGEMMDynamic",
    "FP8_BLOCK, sm90, 96, 128, CutlassFp8Block",
    "FP8_BLOCK, sm100, 64, 128, DeepGemm",
    "FP8_BLOCK, sm100, 96, 128, CutlassFp8Block",
    "FP8_BLOCK, sm90, 64, 192, CutlassFp8Block!",
    "MXFP8, sm100, 128, 128, FlashInferCutedsl",
    "MXFP8, sm100, 127, 128, FlashInferCutedsl!",
    "MXFP8, sm100, 128, 96, FlashInferCutedsl!",
    "NVFP4, sm100, 128, 48, FlashInferCuteDsl",
    "NVFP4, sm100, 128, 40, -",
    "W4AFP8, sm90, 128, 128, CutlassW4A8",
    "W4AFP8, sm90, 64, 128, -",
    "W4A16, x86, 32, 128, CPUWNA16",
    "W4A16, x86, 48, 128, -",
    "W4A16, gfx942, 8, 128, TritonW4A16",
    "W4A16, gfx942, 12, 128, Conch",
    "INT8_ASYM, sm89, 16, 16, CutlassInt8",
    "INT8_ASYM, sm89, 24, 16, CutlassInt8!"
  })
  void gates(String scheme, String target, long rows, long columns, String expected) {
    KernelDecision decision =
        Layers.decide(target, KernelLayer.single("m", rows, columns, Layers.scheme(scheme)));
    assertThat(Layers.cell(decision)).as(decision.toString()).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    // hidden, intermediate, kernel
    "2048, 768, MARLIN", "2048, 512, MARLIN", "2048, 448, TRITON", "2880, 2944, TRITON"
  })
  void expertsOutsideMarlin(long hidden, long intermediate, String expected) {
    KernelDecision decision =
        Layers.decide(
            "sm90",
            Layers.layer(
                Role.EXPERT_W13, Cut.COLUMN, 2 * intermediate, hidden, Layers.scheme("W4A16")));
    assertThat(Layers.cell(decision)).as(decision.toString()).isEqualTo(expected);
    assertThat(Layers.hazards(decision).contains("EXPERTS_NOT_MARLIN"))
        .isEqualTo(expected.equals("TRITON"));
  }

  @Test
  void ranksDivideGroups() {
    // 14336 columns have 112 groups of 128: 16 ranks take 7 each, 32 ranks do not come out even.
    KernelLayer down = Layers.layer(Role.DOWN, Cut.ROW, 4096, 14336, Layers.scheme("W4A16"));
    KernelTable table = KernelTable.builtIn();
    KernelSelector selector =
        new KernelSelector(table, table.targets("a100").getFirst(), BF16);
    assertThat(selector.maxTensorParallel(down)).isEqualTo(16);
    KernelDecision refused = Layers.decide("a100", BF16.withTensorParallel(32), down);
    assertThat(refused.reasons()).containsExactly("GROUP_STRADDLES_TP");
  }

  @Test
  void flagsChangeTheAnswer() {
    KernelLayer int8 = Layers.aligned("W8A8");
    assertThat(Layers.cell(Layers.decide("b200", BF16.withLinearBackend("triton"), int8)))
        .isEqualTo("TritonInt8");
    Serving disabled =
        BF16.withEnvironment(Map.of("VLLM_DISABLED_KERNELS", "CutlassInt8ScaledMMLinearKernel"));
    KernelDecision decision = Layers.decide("b200", disabled, int8);
    assertThat(Layers.cell(decision)).isEqualTo("TritonInt8");
    assertThat(decision.reasons()).containsExactly("DISABLED_BY_ENV");
  }

  @Test
  void namesOfTargets() {
    KernelTable table = KernelTable.builtIn();
    assertThat(table.targets("RTX 4090, SM_90, B-200").stream().map(Target::id))
        .containsExactly("sm89", "sm90", "sm100");
    assertThatThrownBy(() -> table.targets("sm_91"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("unknown target");
  }

  @Test
  void conditionsThatNameNothingAreRefused() {
    assertThatThrownBy(() -> Condition.parse("table", "rows % 4 = 0"))
        .hasMessageContaining("expected the name of a fact, found rows");
    assertThatThrownBy(() -> Condition.parse("table", "k % 4 = 0 |"))
        .hasMessageContaining("expected more");
  }

  /** Any layer, scheme, target and number of ranks has one kernel or one reason, twice the same. */
  @Test
  void everyQuestionHasOneAnswer() {
    List<String> schemes = new ArrayList<>(PresetSchemes.names());
    schemes.remove("UNQUANTIZED");
    schemes.addAll(List.of("FP8A16", "INT8_STATIC", "W4A16_ACTORDER", "W8A16_ASYM", "W4A8_PACK"));
    List<Target> targets = KernelTable.builtIn().targets("all");
    Random random = new Random(20260817);
    int run = 0;
    int refused = 0;
    for (int i = 0; i < 20_000; i++) {
      Role role = Role.values()[random.nextInt(Role.values().length)];
      Cut cut = Cut.values()[random.nextInt(3)];
      long rows = 2L * (1 + random.nextInt(4096));
      long columns = 1 + random.nextInt(8192);
      KernelLayer layer =
          Layers.layer(
              role, cut, rows, columns, Layers.scheme(schemes.get(random.nextInt(schemes.size()))));
      Serving serving =
          Serving.of(random.nextBoolean() ? "bfloat16" : "float16")
              .withTensorParallel(1 << random.nextInt(4));
      String target = targets.get(random.nextInt(targets.size())).id();
      KernelDecision decision = Layers.decide(target, serving, layer);
      assertThat(decision).isEqualTo(Layers.decide(target, serving, layer));
      assertThat(decision.reasons()).isNotEmpty();
      if (decision.kernel().isPresent()) {
        run++;
        assertThat(decision.paddedRows()).isGreaterThanOrEqualTo(decision.rows());
        assertThat(decision.waste()).isBetween(0.0, 1.0);
      } else {
        refused++;
        assertThat(decision.refusal().orElseThrow()).isNotBlank();
      }
    }
    assertThat(run).isGreaterThan(2000);
    assertThat(refused).isGreaterThan(2000);
  }
}
