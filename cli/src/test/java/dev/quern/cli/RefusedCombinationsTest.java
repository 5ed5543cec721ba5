package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.testdata.TestData;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Recipes whose parts do not go together are refused before anything is made or measured. */
class RefusedCombinationsTest {
  @TempDir Path temp;

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{num_bits: 8, type: float, symmetric: false, strategy: channel};"
            + " asymmetric floats, which have no zero point; Use symmetric: true",
        "{num_bits: 8, type: float, symmetric: false, strategy: group, group_size: 32};"
            + " asymmetric floats; type: int",
        "{num_bits: 4, type: float, symmetric: false, strategy: tensor_group, group_size: 16,"
            + " scale_dtype: torch.float8_e4m3fn}; asymmetric floats; type: int",
        "{num_bits: 4, type: int, strategy: group, group_size: 96};"
            + " groups of 96 do not divide; a group_size that divides them (64)",
        "{num_bits: 8, type: float, strategy: group, group_size: 96};"
            + " groups of 96 do not divide; a group_size that divides them (64)",
        "{num_bits: 4, type: int, strategy: group}; needs a group_size; for example to 128",
        "{num_bits: 4, type: int, strategy: channel, group_size: 32};"
            + " does not go with strategy channel; leave group_size out",
        "{num_bits: 9, type: int, strategy: channel}; 9-bit ints by channel; Use one of",
        "{num_bits: 6, type: float, strategy: channel}; 4 or 8 bits; FP8",
        "{num_bits: 8, type: int, strategy: token, dynamic: true}; by token; Use one of",
        "{num_bits: 8, type: float, strategy: block, block_structure: [2147483647, 1]};"
            + " expected two sizes from 1 to 1048576; [128, 128]",
        "{num_bits: 8, type: float, strategy: channel, bits: 8};"
            + " unknown key \"bits\"; num_bits",
        "{num_bits: 8, type: int, strategy: tensor, observer: mse};"
            + " a search for one range of a whole matrix; strategy channel",
      })
  void weightsThatCannotBe(String weights, String problem, String remedy) throws Exception {
    refused("config_groups: {g: {targets: [Linear], weights: " + weights + "}}", problem, remedy);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{scheme: W8A8, sheme: W4A16}; unknown key \"sheme\"; Did you mean scheme?",
        "{scheme: {W8A8: ['re:.*up_proj'], W8A16: ['re:.*mlp.up.*']}};"
            + " two rules for one layer: model.layers.0.mlp.up_proj; exclude each other",
        "{scheme: {W8A8: [Linear], W8A16: [Linear]}}; two rules for one layer; exclude each other",
        "{scheme: W8A8, targets: [Conv7d]}; matches no module; quern inspect",
      })
  void modifiersThatCannotBe(String modifier, String problem, String remedy) throws Exception {
    refused(modifier, problem, remedy);
  }

  private void refused(String modifier, String problem, String remedy) throws Exception {
    String body = modifier.startsWith("{") ? modifier : "{" + modifier + "}";
    Path recipe =
        Files.writeString(
            temp.resolve("recipe.yaml"),
            "quant_stage: {quant_modifiers: {QuantizationModifier: " + body + "}}",
            StandardCharsets.UTF_8);
    Path out = temp.resolve("out");
    QuernProcess run =
        QuernProcess.run(
            "compress",
            TestData.path("golden/source/plain-bf16").toString(),
            "--recipe",
            recipe.toString(),
            "--output",
            out.toString());
    assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).startsWith("quern: ").contains(problem).contains(remedy);
    assertThat(run.err()).doesNotContain("measure", "compress:");
    assertThat(out).doesNotExist();
    assertThat(temp.toFile().list()).containsExactly("recipe.yaml");
  }
}
