package dev.quern.formats.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.quern.formats.compressedtensors.ActivationOrdering;
import dev.quern.formats.compressedtensors.PresetSchemes;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class SolverChoiceTest {
  private static final RecipeRule RULE = RecipeRule.preset("W4A16", List.of("Linear"));

  @Test
  void aRuleRoundsToNearestUnlessItIsToldOtherwise() {
    assertThat(RULE.solver()).isEqualTo(SolverChoice.RTN);
    assertThat(RULE.solver().needsData()).isFalse();

    SolverChoice gptq =
        SolverChoice.of(SolverChoice.Algorithm.GPTQ).withBlockSize(64).withDampening(0.02);
    RecipeRule solved = RULE.withSolver(gptq).withOrder(Optional.of(ActivationOrdering.STATIC));

    assertThat(solved.withTargets(List.of("re:x")).solver()).isEqualTo(gptq);
    assertThat(gptq.needsData()).isTrue();
    assertThat(solved.scheme().weights().orElseThrow().actorder())
        .contains(ActivationOrdering.STATIC);
    assertThat(solved.withOrder(Optional.empty()).withSolver(SolverChoice.RTN)).isEqualTo(RULE);
  }

  @Test
  void twoRulesDifferWhenTheirSolversDo() {
    RecipeRule solved = RULE.withSolver(SolverChoice.of(SolverChoice.Algorithm.GPTQ));
    assertThat(solved.sameNumbers(RULE)).isFalse();
    assertThat(solved.sameNumbers(solved.withTargets(List.of("re:x")))).isTrue();
  }

  @Test
  void settingsThatNoSolverCanUseAreRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SolverChoice.RTN.withBlockSize(0))
        .withMessage("block size: expected at least 1, found 0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SolverChoice.RTN.withDampening(Double.NaN))
        .withMessage("dampening: expected a finite number of at least 0, found NaN");
  }

  @Test
  void aModifierMayHaveACacheAndNoRules() {
    var cache = PresetSchemes.named("FP8").weights();
    QuantizationModifier modifier = new QuantizationModifier(List.of(), List.of(), cache);
    assertThat(modifier.withIgnore(List.of("a")).withRules(List.of(RULE)).cache()).isEqualTo(cache);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new QuantizationModifier(List.of(), List.of()));
  }
}
