package dev.quern.formats.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.ModuleClass;
import dev.quern.formats.compressedtensors.ModuleRef;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class RecipeMatcherTest {
  private static final String Q = "model.layers.0.self_attn.q_proj";
  private static final String DOWN = "model.layers.0.mlp.down_proj";

  @Test
  void namesGoBeforePatternsAndThoseBeforeClasses() {
    RecipeMatcher matcher =
        matcher(
            rule("W4A16", "Linear"),
            rule("FP8_DYNAMIC", "re:.*self_attn.*"),
            rule("W8A8", Q, "Embedding"));

    assertThat(claim(matcher, Q)).contains("W8A8:" + Q);
    assertThat(claim(matcher, "model.layers.1.self_attn.q_proj"))
        .contains("FP8_DYNAMIC:re:.*self_attn.*");
    assertThat(claim(matcher, DOWN)).contains("W4A16:Linear");
    assertThat(matcher.claim(new ModuleRef("model.embed_tokens", ModuleClass.EMBEDDING)))
        .map(RecipeMatcher.Claim::text)
        .contains("W8A8:Embedding");
    assertThat(matcher.claim(new ModuleRef("model.norm", ""))).isEmpty();
  }

  @Test
  void patternsAreAnchoredAtTheStartOnly() {
    RecipeMatcher matcher = matcher(rule("W4A16", "re:.*mlp"));
    assertThat(claim(matcher, DOWN)).contains("W4A16:re:.*mlp");
    assertThat(claim(matcher(rule("W4A16", "re:mlp")), DOWN)).isEmpty();
  }

  @Test
  void twoRulesOfOneKindThatDifferAreRefused() {
    refused(matcher(rule("W4A16", "Linear"), rule("W8A8", "Linear")), "W4A16:Linear", "W8A8:Lin");
    refused(
        matcher(rule("W4A16", "re:.*down_proj"), rule("W8A8", "re:.*mlp.*")),
        "W4A16:re:.*down_proj",
        "W8A8:re:.*mlp.*");
    refused(matcher(rule("W4A16", DOWN), rule("W8A8", DOWN)), "W4A16:" + DOWN, "W8A8:" + DOWN);
  }

  @Test
  void twoModifiersThatDifferAreRefusedWhateverTheKind() {
    RecipeMatcher matcher =
        RecipeMatcher.of(
            new Recipe(
                "recipe.yaml",
                List.of(
                    new QuantizationModifier(List.of(rule("W4A16", "Linear")), List.of("lm_head")),
                    new QuantizationModifier(List.of(rule("W8A8", DOWN)), List.of()))),
            List.of());

    refused(matcher, "W4A16:Linear", "W8A8:" + DOWN);
    assertThat(claim(matcher, Q)).contains("W4A16:Linear");
  }

  @Test
  void aModifierThatIgnoresAModuleClaimsNothing() {
    RecipeMatcher matcher =
        RecipeMatcher.of(
            new Recipe(
                "recipe.yaml",
                List.of(
                    new QuantizationModifier(
                        List.of(rule("W4A16", "Linear")), List.of("re:.*mlp.*")),
                    new QuantizationModifier(List.of(rule("W8A8", DOWN)), List.of()))),
            List.of(Q));

    assertThat(claim(matcher, DOWN)).contains("W8A8:" + DOWN);
    assertThat(claim(matcher, Q)).isEmpty();
    assertThat(matcher.ignoredBy(new ModuleRef(Q, ModuleClass.LINEAR))).contains(Q);
  }

  @Test
  void equalSchemesMayOverlap() {
    RecipeMatcher matcher =
        matcher(rule("W8A8", "re:.*z.*", "re:.*mlp.*"), rule("INT8", "re:.*down_proj"));
    assertThat(claim(matcher, DOWN)).contains("INT8:re:.*down_proj");
  }

  @Test
  void unusedEntriesAreNamed() {
    RecipeMatcher matcher =
        RecipeMatcher.of(
            new Recipe(
                "x",
                List.of(
                    new QuantizationModifier(
                        List.of(rule("W8A8", "Linear", "re:.*qq_proj")), List.of("re:.*vision")))),
            List.of("lm_head"));
    List<ModuleRef> modules = List.of(new ModuleRef(DOWN, ModuleClass.LINEAR));
    assertThat(matcher.unusedTargets(modules)).containsExactly("re:.*qq_proj");
    assertThat(matcher.unusedIgnores(modules)).containsExactly("lm_head", "re:.*vision");
  }

  private static void refused(RecipeMatcher matcher, String one, String other) {
    assertThatThrownBy(() -> claim(matcher, DOWN))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("two rules for one layer")
        .hasMessageContaining(DOWN)
        .hasMessageContaining(one)
        .hasMessageContaining(other)
        .hasMessageContaining("Make the targets exclude each other");
  }

  private static RecipeRule rule(String preset, String... targets) {
    return RecipeRule.preset(preset, List.of(targets));
  }

  private static RecipeMatcher matcher(RecipeRule... rules) {
    return RecipeMatcher.of(Recipe.of("--scheme", List.of(rules)), List.of());
  }

  private static Optional<String> claim(RecipeMatcher matcher, String module) {
    return matcher.claim(new ModuleRef(module, ModuleClass.LINEAR)).map(RecipeMatcher.Claim::text);
  }
}
