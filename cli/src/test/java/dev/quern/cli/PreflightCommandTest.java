package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.testdata.TestData;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What vLLM would not load is a warning, and with {@code --tensor-parallel} an error. */
class PreflightCommandTest {
  @TempDir Path temp;

  private QuernProcess compress(String model, String options) {
    List<String> args = new ArrayList<>();
    args.addAll(List.of("compress", TestData.path("golden/source/" + model).toString()));
    args.addAll(List.of("--output", temp.resolve("out").toString()));
    args.addAll(Arrays.asList(options.split(" ")));
    return QuernProcess.run(args.toArray(String[]::new));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "plain-bf16; --scheme W4A16; 2; groups of 128 do not divide",
        "plain-bf16; --scheme FP8_DYNAMIC; 3; num_attention_heads 2 is no multiple of 3",
        "ragged-bf16; --scheme FP8_BLOCK; 1; 200 columns, and activations are quantized",
        "plain-bf16; --scheme W8A8:re:.*q_proj --scheme FP8_DYNAMIC:re:.*(k|v)_proj; 1;"
            + " they have different ones",
        "plain-bf16; --scheme W4A16 --scheme FP8_DYNAMIC:re:.*self_attn.(q|k|v|o)_proj; 1;"
            + " would take the scheme of Linear",
        "plain-bf16; --scheme FP8_DYNAMIC --ignore re:.*up_proj; 1; they have different ones",
      })
  void ranksMakeErrorsOfWarnings(String model, String options, int ranks, String problem) {
    QuernProcess refused = compress(model, options + " --tensor-parallel " + ranks);

    assertThat(refused.exitCode()).as(refused.err()).isEqualTo(ExitCode.USAGE);
    assertThat(refused.err()).contains("--tensor-parallel " + ranks).contains(problem);
    assertThat(temp.resolve("out")).doesNotExist();

    if (ranks == 1) {
      QuernProcess warned = compress(model, options);
      assertThat(warned.exitCode()).as(warned.err()).isZero();
      assertThat(warned.err()).contains("quern: warning: ").contains(problem);
    }
  }

  @Test
  void whatLoadsIsNotRefused() {
    QuernProcess run = compress("plain-bf16", "--scheme FP8_DYNAMIC --tensor-parallel 2");
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.err()).doesNotContain("warning");
  }

  @Test
  void groupsThatDoNotDivideAreRefusedInAnyCase() {
    QuernProcess run = compress("ragged-bf16", "--scheme W4A16");
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err())
        .contains("the weights of model.layers.0.mlp.down_proj, model.layers.1.mlp.down_proj have")
        .contains("200 columns, which groups of 128 do not divide")
        .contains("Add them to --ignore, or use a scheme by channel such as");
    assertThat(temp.resolve("out")).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource({"0", "-1", "5000"})
  void ranksAreANumber(String ranks) {
    QuernProcess run = compress("plain-bf16", "--scheme FP8_DYNAMIC --tensor-parallel " + ranks);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("--tensor-parallel: expected from 1 to 1024");
  }
}
