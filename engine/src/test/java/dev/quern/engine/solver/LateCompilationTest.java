package dev.quern.engine.solver;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.kernel.KernelChoice;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;

/** A solve has the same bits whenever, and whether, the compiler gets to it. */
@EnabledOnOs(architectures = {"amd64", "x86_64"})
class LateCompilationTest {
  /** Loops of the definition, never compiled. */
  @Test
  void interpreted() throws Exception {
    assertThat(report("-Xint", 1)).containsExactly("scalar", SolveReport.solve());
  }

  /** Vectors that are interpreted for long, and compiled in between. */
  @Test
  void compiledLate() throws Exception {
    String provider = KernelChoice.current().provider();
    String options = "-Dquern.kernels=" + provider + " -XX:CompileThresholdScaling=20";
    assertThat(report(options, 6)).containsExactly(provider, SolveReport.solve());
  }

  private static List<String> report(String options, int solves)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--add-modules", "jdk.incubator.vector"));
    command.addAll(List.of(options.split(" ")));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(SolveReport.class.getName());
    command.add(Integer.toString(solves));
    Process process = new ProcessBuilder(command).redirectError(Redirect.DISCARD).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isZero();
    return output.lines().toList();
  }
}
