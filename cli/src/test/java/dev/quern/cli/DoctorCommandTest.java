package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class DoctorCommandTest {
  @Test
  void textSaysWhatRunsAndWhy() {
    QuernProcess run = QuernProcess.run("doctor");

    assertThat(run.exitCode()).isZero();
    assertThat(run.out())
        .containsPattern("kernels +(vector|scalar): .+\\n")
        .containsPattern("JDK +" + Runtime.version().feature())
        .containsPattern("processors +" + Runtime.getRuntime().availableProcessors())
        .containsPattern("speed .* \\d+\\.\\d\\d GB/s");
  }

  @Test
  void jsonIsOneDocument() {
    QuernProcess run = QuernProcess.run("doctor", "--json");

    Json.Obj json = (Json.Obj) JsonReader.parse(run.out().getBytes(StandardCharsets.UTF_8), "out");
    assertThat(json.members().keySet())
        .contains(
            "heap_bytes",
            "jdk",
            "processors",
            "provider",
            "rate_bytes_per_second",
            "reason",
            "scalar_rate_bytes_per_second",
            "vector_bits");
    assertThat(json.number("rate_bytes_per_second").orElseThrow()).isPositive();
  }
}
