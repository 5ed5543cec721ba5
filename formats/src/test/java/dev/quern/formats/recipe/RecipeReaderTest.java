package dev.quern.formats.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.PresetSchemes;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.json.YamlReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class RecipeReaderTest {
  @TempDir Path temp;

  @Test
  void aPresetWithTargetsAndIgnore() {
    Recipe recipe = modifier("{targets: Linear, ignore: [lm_head, 're:.*gate$'], scheme: w4a16}");

    QuantizationModifier modifier = recipe.modifiers().getFirst();
    assertThat(modifier.ignore()).containsExactly("lm_head", "re:.*gate$");
    assertThat(modifier.rules()).containsExactly(RecipeRule.preset("W4A16", List.of("Linear")));
    assertThat(recipe.origin()).isEqualTo("test");
  }

  @Test
  void targetsByPreset() {
    Recipe recipe =
        modifier(
            """
            scheme:
              W4A16: ['re:.*mlp.*']
              FP8_DYNAMIC: 're:.*self_attn.*'
            """);

    assertThat(recipe.rules())
        .containsExactly(
            RecipeRule.preset("W4A16", List.of("re:.*mlp.*")),
            RecipeRule.preset("FP8_DYNAMIC", List.of("re:.*self_attn.*")));
  }

  @Test
  void groupsWithAllArguments() {
    Recipe recipe =
        modifier(
            """
            ignore: [lm_head]
            config_groups:
              group_0:
                weights: {num_bits: 8, type: float, strategy: channel, dynamic: false, symmetric: true}
                input_activations: {num_bits: 8, type: float, strategy: token, dynamic: true}
                targets: ['re:.*\\.down_proj$']
              rest:
                weights:
                  num_bits: 4
                  type: int
                  strategy: group
                  group_size: 64
                  observer: mse
                  observer_kwargs: {maxshrink: 0.3}
                targets: [Linear]
            """);

    assertThat(recipe.rules()).extracting(RecipeRule::label).containsExactly("FP8_DYNAMIC", "rest");
    assertThat(recipe.rules().getFirst().scheme())
        .isEqualTo(PresetSchemes.named("FP8_DYNAMIC").scheme(List.of("re:.*\\.down_proj$")));
    QuantizationArgs rest = recipe.rules().get(1).scheme().weights().orElseThrow();
    assertThat(rest.groupSize()).hasValue(64);
    assertThat(rest.observer()).contains("mse");
    assertThat(rest.observerKwargs().number("maxshrink")).contains(0.3);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{scheme: W8A8, weight_observer: MEMORYLESS-MSE}",
        "{scheme: W8A8, observer: {weights: memoryless_mse, input: minmax}}"
      })
  void observersForAllSchemes(String text) {
    RecipeRule rule = modifier(text).rules().getFirst();
    assertThat(rule.label()).isEqualTo("W8A8");
    assertThat(rule.scheme().weights().orElseThrow().observer()).contains("memoryless_mse");
    assertThat(rule.scheme().inputActivations().orElseThrow().observer())
        .as("dynamic, so never observed")
        .isEmpty();
  }

  @Test
  void aCacheWithRulesAndWithout() {
    String cache = "kv_cache_scheme: {num_bits: 8, type: float, strategy: tensor, symmetric: true}";
    for (String before : List.of("scheme: W8A8, ", "")) {
      QuantizationModifier modifier = modifier("{" + before + cache + "}").modifiers().getFirst();
      assertThat(modifier.rules()).hasSize(before.isEmpty() ? 0 : 1);
      assertThat(modifier.cache().orElseThrow().strategy().configName()).isEqualTo("tensor");
    }
  }

  @Test
  void everyStageAndGroupCounts() {
    Recipe recipe =
        read(
            """
            args: {anything: 1}
            first_stage:
              a_modifiers:
                QuantizationModifier: {scheme: W4A16, targets: 're:.*mlp.*'}
              b_modifiers:
                QuantizationModifier: {scheme: W8A8, targets: 're:.*self_attn.*'}
            default_stage_1:
              quant_modifiers:
                QuantizationModifier: {scheme: FP8_DYNAMIC, targets: [lm_head], ignore: []}
            """);
    assertThat(recipe.modifiers()).hasSize(3);
    assertThat(recipe.rules())
        .extracting(RecipeRule::label)
        .containsExactly("W4A16", "W8A8", "FP8_DYNAMIC");
  }

  @Test
  void whatTheReferenceWritesIsRead() {
    Recipe recipe =
        modifier(
            "{targets: [Linear], ignore: [lm_head], scheme: W8A8, bypass_divisibility_checks:"
                + " false, requires_calibration_data: false, index: null}");
    assertThat(recipe.rules()).hasSize(1);
  }

  @Test
  void jsonFilesAndYamlFiles() throws Exception {
    String json =
        "{\"x_stage\": {\"y_modifiers\": {\"QuantizationModifier\": {\"scheme\": \"W8A8\"}}}}";
    for (String name : List.of("recipe.json", "recipe.yaml", "recipe.txt")) {
      Path file = Files.writeString(temp.resolve(name), json);
      Recipe recipe = RecipeReader.read(file);
      assertThat(recipe.rules()).containsExactly(RecipeRule.preset("W8A8", List.of("Linear")));
      assertThat(recipe.origin()).isEqualTo(file.toString());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{scheme: W8A8, target: [x]} | unknown key \"target\" | Did you mean targets?",
        "{scheme: W8A9} | unknown scheme \"W8A9\" | Did you mean W8A",
        "{scheme: [W8A8]} | expected scheme | found a list",
        "{ignore: [lm_head]} | expected scheme | found neither",
        "{scheme: W8A8, config_groups: {}} | both scheme and config_groups | Keep one",
        "{config_groups: {}} | config_groups | expected at least one entry",
        "{scheme: {}} | scheme | expected at least one entry",
        "{scheme: {W8A8: []}} | scheme | expected at least one entry",
        "{scheme: {W8A8: [a], W4A16: [b]}, targets: [c]} | targets | has no effect",
        "{scheme: W8A8, kv_cache_scheme: {bits: 8}} | unknown key \"bits\" | num_bits",
        "{scheme: W8A8, actorder: static} | unknown key \"actorder\" | the keys known here",
        "{scheme: W8A8, bypass_divisibility_checks: true} | bypass_divis | Leave it out",
        "{scheme: W8A8, observer: {weight: x}} | unknown key \"weight\" | Did you mean weights?",
        "{scheme: W8A8, observer: {weights: x}, input_observer: y} | observer is given beside | K",
        "{scheme: W8A8, ignore: 3} | \"ignore\" should be a list | found a number",
        "{scheme: W8A8, ignore: [3]} | expected a list of strings | found a number",
        "{config_groups: {g: {weights: {num_bits: 8}}}} | expected \"targets\" | Add for example",
        "{config_groups: {g: {weight: {}, targets: [a]}}} | \"weight\" | Did you mean weights?",
        "{config_groups: {g: {weights: {bits: 8}, targets: [a]}}} | \"bits\" | num_bits",
        "{config_groups: {g: {weights: {strategy: group}, targets: [a]}}} | group_size | needs a",
        "{config_groups: {g: {weights: {strategy: token}, targets: [a]}}} | dynamic | token",
        "{config_groups: {g: {weights: {num_bits: 6, type: float}, targets: [a]}}} | 4 or 8 | FP8",
      })
  void argumentsThatAreRefused(String text, String problem, String remedy) {
    refused(wrapped(text), problem, remedy);
  }

  @Test
  void knownKeysAreThoseThatCanBeUsed() {
    assertThatThrownBy(() -> modifier("{scheme: W8A8, sheme: x, kv_cache_scheme: null}"))
        .hasMessageContaining("Did you mean scheme?")
        .hasMessageNotContaining("actorder");
  }

  @ParameterizedTest
  @CsvSource({
    "AWQModifier, moves scales",
    "SmoothQuantModifier, moves scales",
    "LogarithmicEqualizationModifier, moves scales",
    "AutoRoundModifier, learns how to round",
    "REAPPruningModifier, takes experts out",
    "SpinQuantModifier, rotates weights",
    "QuantisationModifier, Did you mean QuantizationModifier?",
    "NoSuchThing, unknown modifier",
  })
  void otherModifiersAreRefusedByName(String name, String why) {
    refused("s_stage: {m_modifiers: {" + name + ": {scheme: W8A8}}}", name, why);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "QuantizationModifier: {scheme: W8A8} | a modifier, where a stage is expected | NAME_stage",
        "quant_stages: {} | unknown key \"quant_stages\" | Did you mean quant_stage?",
        "s_stage: {quant: {}} | unknown key \"quant\" | NAME_modifiers",
        "s_stage: {} | found no modifier at all | NAME_stage",
        "s_stage: [1] | should be an object | found a list",
        "[{QuantizationModifier: {}}] | expected a mapping | Correct",
      })
  void shapesThatAreRefused(String text, String problem, String remedy) {
    refused(text, problem, remedy);
  }

  private static void refused(String text, String problem, String remedy) {
    assertThatThrownBy(() -> read(text))
        .isInstanceOf(CheckpointException.class)
        .hasMessageStartingWith("test")
        .hasMessageContaining(problem)
        .hasMessageContaining(remedy);
  }

  private static Recipe modifier(String arguments) {
    return read(wrapped(arguments));
  }

  private static String wrapped(String arguments) {
    return "quant_stage:\n  quant_modifiers:\n    QuantizationModifier:\n" + arguments.indent(6);
  }

  private static Recipe read(String yaml) {
    return RecipeReader.read(
        "test", YamlReader.parseObject(yaml.getBytes(StandardCharsets.UTF_8), "test"));
  }
}
