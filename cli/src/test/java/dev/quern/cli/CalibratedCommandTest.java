package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.testdata.TestData;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Options of {@code quern compress} for what looks at calibration data. */
class CalibratedCommandTest {
  private static final Path MODEL = TestData.path("golden/source/plain-bf16");
  private static final String TOKENS =
      TestData.path("golden/calibration_tokens.safetensors").toString();

  @TempDir private Path temp;

  private QuernProcess compress(Path output, String... more) {
    List<String> args = new ArrayList<>();
    args.addAll(List.of("compress", MODEL.toString(), "--output", output.toString()));
    args.addAll(Arrays.asList(more));
    return QuernProcess.run(args.toArray(String[]::new));
  }

  @Test
  void theRecipeInTheOutputSolvesTheSameAgain() throws Exception {
    Path first = temp.resolve("first");
    QuernProcess run =
        compress(
            first,
            "--scheme",
            "W4A16",
            "--algorithm",
            "gptq",
            "--dampening",
            "0.02",
            "--calibration",
            TOKENS,
            "--samples",
            "3",
            "--seq-len",
            "32");
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out()).contains("GPTQ W4A16");
    assertThat(Files.readString(first.resolve("recipe.yaml")))
        .contains("GPTQModifier")
        .contains("dampening_frac: 0.02");

    Path again = temp.resolve("again");
    run =
        compress(
            again,
            "--recipe",
            first.resolve("recipe.yaml").toString(),
            "--calibration",
            TOKENS,
            "--samples",
            "3",
            "--seq-len",
            "32");
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(again.resolve("model.safetensors"))
        .hasSameBinaryContentAs(first.resolve("model.safetensors"));
    assertThat(again.resolve("config.json")).hasSameBinaryContentAs(first.resolve("config.json"));
    assertThat(temp.resolve("first/activations.tmp")).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--algorithm gptqq | --algorithm | expected rtn or gptq",
        "--algorithm gptq --actorder sideways | --actorder | static",
        "--algorithm gptq --dampening -1 | --dampening | at least 0",
        "--algorithm gptq --block-size 0 | --block-size | at least 1",
        "--actorder static | --actorder is for solvers | --algorithm gptq",
        "--samples 0 | --samples | at least 1",
        "--algorithm gptq --observer memoryless_mse | memoryless_minmax | --algorithm rtn",
        "--algorithm gptq --targets lm_head | in none of the 2 decoder layers | rounded to nearest",
      })
  void whatCannotBeIsRefusedAtOnce(String options, String problem, String remedy) {
    List<String> args = new ArrayList<>(List.of("--scheme", "W4A16", "--calibration", TOKENS));
    args.addAll(List.of(options.split(" ")));
    QuernProcess run = compress(temp.resolve("out"), args.toArray(String[]::new));
    assertThat(run.exitCode()).isNotZero();
    assertThat(run.err()).contains(problem).contains(remedy);
    assertThat(temp.resolve("out")).doesNotExist();
  }
}
