package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.testdata.TestData;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Recipes and several schemes on the command line. */
class RecipeCommandTest {
  private static final Path MODEL = TestData.path("golden/source/plain-bf16");
  private static final String ATTENTION = "FP8_DYNAMIC:re:.*self_attn.(q|k|v|o)_proj";
  private static final String MLP = "FP8_BLOCK:re:.*mlp.*";

  @TempDir Path temp;

  private QuernProcess compress(Path output, String... more) {
    List<String> args = new ArrayList<>();
    args.addAll(List.of("compress", MODEL.toString(), "--output", output.toString()));
    args.addAll(Arrays.asList(more));
    return QuernProcess.run(args.toArray(String[]::new));
  }

  private Path recipe(String text) throws Exception {
    return Files.writeString(temp.resolve("recipe.yaml"), text, StandardCharsets.UTF_8);
  }

  private static String modifier(String arguments) {
    return "quant_stage: {quant_modifiers: {QuantizationModifier: " + arguments + "}}";
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "--scheme fp8_dynamic",
        "--scheme FP8_DYNAMIC --targets re:.*mlp.* --ignore re:.*down_proj",
        "--scheme " + MLP + " --scheme " + ATTENTION,
        "--scheme FP8_BLOCK --scheme " + ATTENTION,
        "--scheme FP8_DYNAMIC --observer mse",
        "--scheme FP8_DYNAMIC:re:.*mlp.* --scheme " + ATTENTION,
      })
  void theRecipeInTheOutputMakesTheSameFilesAgain(String options) throws Exception {
    QuernProcess first = compress(temp.resolve("first"), options.split(" "));
    assertThat(first.exitCode()).as(first.err()).isZero();

    QuernProcess again =
        compress(temp.resolve("again"), "--recipe", temp.resolve("first/recipe.yaml").toString());

    assertThat(again.exitCode()).as(again.err()).isZero();
    try (var files = Files.list(temp.resolve("first"))) {
      List<Path> all = files.toList();
      assertThat(all).hasSize(6);
      for (Path file : all) {
        assertThat(temp.resolve("again").resolve(file.getFileName())).hasSameBinaryContentAs(file);
      }
    }
  }

  @Test
  void theDryRunNamesTheRuleOfEachTensor() {
    QuernProcess run =
        compress(temp.resolve("out"), "--scheme", MLP, "--scheme", ATTENTION, "--dry-run");
    assertThat(run.out())
        .containsPattern(
            "layers.1.mlp.up_proj.weight .*FP8_BLOCK, float-quantized, re:\\.\\*mlp\\.\\* ")
        .containsPattern("layers.0.self_attn.q_proj.weight .*FP8_DYNAMIC, float-quantized, re:")
        .contains("FP8_BLOCK + FP8_DYNAMIC: 14 of 21 tensors are quantized");

    QuernProcess json =
        compress(
            temp.resolve("out"), "--scheme", MLP, "--scheme", ATTENTION, "--dry-run", "--json");
    assertThat(json.out()).contains("\"rule\": \"" + MLP + "\"").contains("\"rule\": null");
  }

  @Test
  void theDryRunLooksAtTheOutputToo() throws Exception {
    Files.createDirectories(temp.resolve("out"));
    Files.writeString(temp.resolve("out/notes.txt"), "mine");

    QuernProcess run = compress(temp.resolve("out"), "--scheme", "FP8_DYNAMIC", "--dry-run");

    assertThat(run.exitCode()).isZero();
    assertThat(run.out())
        .contains("warning: a real run would stop here: ")
        .contains("exists already and is not empty");
  }

  @Test
  void aRecipeOfTheSourceIsNotCarriedOver() throws Exception {
    Path model = temp.resolve("model");
    Files.createDirectories(model);
    try (var files = Files.list(MODEL)) {
      for (Path file : files.toList()) {
        Files.copy(file, model.resolve(file.getFileName()));
      }
    }
    Files.writeString(model.resolve("recipe.yaml"), "old_stage: {}");

    QuernProcess run =
        QuernProcess.run(
            "compress", model.toString(), "--scheme", "fp8_block", "--output", temp + "/out");

    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(temp.resolve("out/recipe.yaml")).content().contains("scheme: FP8_BLOCK");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{scheme: W8A9} | unknown scheme | Did you mean",
        "{scheme: FP8_DYNAMIC, target: [x]} | unknown key \"target\" | Did you mean targets?",
        "{scheme: {FP8_BLOCK: [Linear], FP8_DYNAMIC: [Linear]}} | two rules for one layer | Make",
        "{scheme: FP8_DYNAMIC, targets: [model.none]} | matches no module | quern inspect",
        "{scheme: FP8_DYNAMIC, targets: ['re:(']} | recipe.yaml re:( | Python",
        "{config_groups: {g: {targets: [Linear], weights: {num_bits: 8, type: float, strategy:"
            + " channel, symmetric: false}}}} | asymmetric floats | symmetric: true",
        "{config_groups: {g: {targets: [Linear], weights: {num_bits: 8, type: float, strategy:"
            + " channel, actorder: static}}}} | actorder | Leave actorder out",
        "{config_groups: {g: {targets: [Linear], input_activations: {strategy: token, dynamic:"
            + " true}}}} | g quantizes no weights | Use one of",
        "{config_groups: {g: {targets: [Linear], weights: {strategy: token}}}} | dynamic | token",
        "{scheme: FP8_DYNAMIC, kv_cache_scheme: {num_bits: 8, type: float, strategy: channel}} |"
            + " attn_head | strategy: tensor",
      })
  void recipesThatAreRefused(String arguments, String problem, String remedy) throws Exception {
    Path recipe = recipe(modifier(arguments));

    QuernProcess run = compress(temp.resolve("out"), "--recipe", recipe.toString());

    assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("recipe.yaml").contains(problem).contains(remedy);
    assertThat(temp.resolve("out")).doesNotExist();
  }

  @Test
  void aHeadThatTheRecipeForgetsIsKeptWithAWarning() throws Exception {
    Path forgets = recipe(modifier("{scheme: FP8_DYNAMIC}"));
    QuernProcess run = compress(temp.resolve("out"), "--recipe", forgets.toString());
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.err()).contains("warning: lm_head stays as it is, although ");

    Path ignores = recipe(modifier("{scheme: FP8_DYNAMIC, ignore: [lm_head]}"));
    run = compress(temp.resolve("other"), "--recipe", ignores.toString());
    assertThat(run.err()).doesNotContain("warning");
  }

  @Test
  void anotherModifierIsRefusedByName() throws Exception {
    Path recipe = recipe("s_stage: {m_modifiers: {AWQModifier: {scheme: W4A16}}}");
    QuernProcess run = compress(temp.resolve("out"), "--recipe", recipe.toString());
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("AWQModifier moves scales between layers");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--scheme FP8_BLOCK --scheme FP8_DYNAMIC | two rules for one layer",
        "--scheme FP8_BLOCK:re:.*mlp.* --targets Linear | the targets stand in --scheme already",
        "--scheme FP8_BLOCK: | --scheme : ",
        "--scheme FP8_BLOK:Linear | Did you mean FP8_BLOCK",
        "--scheme FP8_BLOCK --recipe r.yaml | mutually exclusive",
        "--recipe no-such-file.yaml | no such file",
        "--recipe | Missing required parameter for option '--recipe'",
      })
  void optionsThatAreRefused(String options, String problem) {
    QuernProcess run = compress(temp.resolve("out"), options.split(" "));
    assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains(problem);
  }
}
