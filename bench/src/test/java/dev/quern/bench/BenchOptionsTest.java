package dev.quern.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.engine.numeric.FloatType;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BenchOptionsTest {
  @Test
  void withoutOptionsMeasuresBf16ThreeTimes() {
    BenchOptions options = BenchOptions.parse();
    assertThat(options.quick()).isFalse();
    assertThat(options.rounds()).isEqualTo(3);
    assertThat(options.types()).containsExactly(FloatType.BF16);
    assertThat(options.threads()).containsExactly(1, 2);
    assertThat(options.mebibytes()).isEqualTo(128);
    assertThat(options.json()).isEmpty();
    assertThat(options.filter().matcher("anything").find()).isTrue();
  }

  @Test
  void quickMeansOneRoundUnlessToldOtherwise() {
    assertThat(BenchOptions.parse("--quick").rounds()).isEqualTo(1);
    assertThat(BenchOptions.parse("--rounds", "5", "--quick").rounds()).isEqualTo(5);
  }

  @Test
  void readsAllOptions() {
    BenchOptions options =
        BenchOptions.parse(
            "--filter",
            "QUANT",
            "--types",
            "f16, F32",
            "--threads",
            "4",
            "--mib",
            "512",
            "--json",
            "x.json");
    assertThat(options.filter().matcher("quantizeChannel").find()).isTrue();
    assertThat(options.filter().matcher("copy").find()).isFalse();
    assertThat(options.types()).containsExactly(FloatType.F16, FloatType.F32);
    assertThat(options.threads()).containsExactly(4);
    assertThat(options.mebibytes()).isEqualTo(512);
    assertThat(options.json()).contains(Path.of("x.json"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "--rounds 0; --rounds 0: expected a whole number of at least 1",
        "--rounds x; --rounds x: expected a whole number of at least 1",
        "--rounds; --rounds needs a value",
        "--fast; unknown option --fast",
        "--fast 1; unknown option --fast",
        "--filter [; --filter [: not a regular expression",
        "--types bf8; --types bf8: expected bf16, f16 or f32",
        "--threads 1,0; --threads 0: expected a whole number of at least 1",
        "--mib 2000000; --mib 2000000: at most 1048576",
      })
  void refusesWithASentence(String line, String message) {
    assertThatThrownBy(() -> BenchOptions.parse(line.split(" ")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(message);
  }
}
