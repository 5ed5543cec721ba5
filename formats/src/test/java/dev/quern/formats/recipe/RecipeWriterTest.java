package dev.quern.formats.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.formats.json.YamlReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

final class RecipeWriterTest {
  @Test
  void onePresetLooksAsLlmCompressorWritesIt() {
    Recipe recipe =
        recipe(
            new QuantizationModifier(
                List.of(RecipeRule.preset("fp8_dynamic", List.of("Linear"))),
                List.of("lm_head", "re:.*gate$")));

    assertThat(RecipeWriter.write(recipe))
        .isEqualTo(
            """
            default_stage:
              default_modifiers:
                QuantizationModifier:
                  targets: [Linear]
                  ignore: [lm_head, 're:.*gate$']
                  scheme: FP8_DYNAMIC
            """);
    assertThat(again(recipe)).isEqualTo(recipe);
  }

  @Test
  void severalPresetsWithOneObserver() {
    Recipe recipe =
        recipe(
                new QuantizationModifier(
                    List.of(
                        RecipeRule.preset("W4A16", List.of("re:.*mlp.*", "re:.*experts.*")),
                        RecipeRule.preset("W8A16", List.of("Linear"))),
                    List.of()))
            .withRules(rule -> rule.withWeightObserver("mse"));

    assertThat(RecipeWriter.write(recipe))
        .isEqualTo(
            """
            default_stage:
              default_modifiers:
                QuantizationModifier:
                  ignore: []
                  scheme:
                    W4A16: ['re:.*mlp.*', 're:.*experts.*']
                    W8A16: [Linear]
                  weight_observer: mse
            """);
    assertThat(again(recipe)).isEqualTo(recipe);
  }

  @Test
  void everythingElseIsWrittenInFull() {
    Recipe recipe =
        recipe(
            new QuantizationModifier(
                List.of(
                    RecipeRule.preset("W4A16", List.of("re:.*mlp.*")),
                    RecipeRule.preset("MXFP4A16", List.of("Embedding")),
                    RecipeRule.preset("W4A16_ASYM", List.of("re:.*self_attn.*"))
                        .withWeightObserver("memoryless_mse")),
                List.of("lm_head")));

    String text = RecipeWriter.write(recipe);
    assertThat(text)
        .contains("      config_groups:\n        group_0:\n")
        .contains("scale_dtype: torch.uint8")
        .contains("zp_dtype: torch.int8")
        .contains("observer: memoryless_mse");
    assertThat(text.lines()).allMatch(line -> line.length() <= 88);
    assertThat(again(recipe).rules())
        .extracting(RecipeRule::label)
        .containsExactly("W4A16", "MXFP4A16", "W4A16_ASYM");
    for (int i = 0; i < 3; i++) {
      assertThat(again(recipe).rules().get(i).scheme().toJson())
          .isEqualTo(recipe.rules().get(i).scheme().toJson());
    }
    assertThat(RecipeWriter.write(again(recipe))).isEqualTo(text);
  }

  @Test
  void eachModifierHasAGroup() {
    Recipe recipe =
        recipe(
            new QuantizationModifier(
                List.of(RecipeRule.preset("W8A8", List.of("a"))), List.of("b")),
            new QuantizationModifier(
                List.of(RecipeRule.preset("W8A8", List.of("it's\n", "yes"))), List.of()));

    assertThat(RecipeWriter.write(recipe)).contains("default_1_modifiers", "\"it's\\n\", 'yes'");
    assertThat(again(recipe)).isEqualTo(recipe);
  }

  private static Recipe recipe(QuantizationModifier... modifiers) {
    return new Recipe("test", List.of(modifiers));
  }

  private static Recipe again(Recipe recipe) {
    byte[] bytes = RecipeWriter.write(recipe).getBytes(StandardCharsets.UTF_8);
    return RecipeReader.read("test", YamlReader.parseObject(bytes, "test"));
  }
}
