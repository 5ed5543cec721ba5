package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class KernelChoiceTest {
  private static final String MODULE = "--add-modules jdk.incubator.vector ";

  @ParameterizedTest
  @ValueSource(strings = {"scalar", "SCALAR"})
  void scalarCanAlwaysBeHad(String wanted) {
    KernelChoice choice = KernelChoice.choose(wanted);
    assertThat(choice.provider()).isEqualTo("scalar");
    assertThat(choice.kernels()).isInstanceOf(PlainKernels.class);
    assertThat(choice.vectorBits()).isZero();
    assertThat(choice.reason()).isEqualTo("asked for with -Dquern.kernels=scalar");
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "Auto"})
  void autoAlwaysFindsAProviderAndSaysWhy(String wanted) {
    KernelChoice choice = KernelChoice.choose(wanted);
    assertThat(choice.provider()).isIn("vector", "scalar");
    assertThat(choice.reason()).isNotBlank().isNotEqualTo("null");
  }

  @Test
  void anUnknownProviderIsAnError() {
    assertThatThrownBy(() -> KernelChoice.choose("avx"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("-Dquern.kernels=avx: expected auto, vector or scalar");
  }

  @Test
  void theChoiceIsMadeOnce() {
    assertThat(KernelChoice.current()).isSameAs(KernelChoice.current());
  }

  @ParameterizedTest(name = "java {0}")
  @CsvSource(
      delimiter = '|',
      value = {
        "-Dx=x | scalar 0: the module jdk.incubator.vector is missing; start java with"
            + " --add-modules jdk.incubator.vector",
        "-Dquern.kernels=vector | java.lang.IllegalStateException: -Dquern.kernels=vector cannot be"
            + " had: the module jdk.incubator.vector is missing; start java with --add-modules"
            + " jdk.incubator.vector",
        "-Dquern.kernels=fast | java.lang.IllegalArgumentException: -Dquern.kernels=fast: expected"
            + " auto, vector or scalar",
        MODULE
            + "-Xint | scalar 0: the Vector API needs HotSpot's C2 compiler, and this JVM runs in"
            + " interpreted mode",
        MODULE
            + "-XX:TieredStopAtLevel=1 | scalar 0: the Vector API needs HotSpot's C2 compiler, and"
            + " this JVM runs in mixed mode, emulated-client",
        MODULE + "-Dquern.kernels=scalar | scalar 0: asked for with -Dquern.kernels=scalar",
      })
  void aJvmThatWouldBeSlowIsPassedOver(String options, String expected) throws Exception {
    assertThat(report(options)).startsWith(expected);
  }

  @ParameterizedTest(name = "java {0}")
  @EnabledOnOs(architectures = {"amd64", "x86_64"})
  @CsvSource(
      delimiter = '|',
      value = {
        "-XX:UseAVX=2 | vector 256: jdk.incubator.vector on amd64 with vectors of 256 bits",
        "-XX:UseAVX=1 | scalar 0: the kernels need vectors of 256 bits or more (AVX2 or AVX-512),"
            + " and this amd64 JVM offers 128 bits for integers",
        "-XX:MaxVectorSize=16 | scalar 0: the kernels need vectors of 256 bits or more",
        "-XX:MaxVectorSize=8 | scalar 0: the kernels need vectors of 256 bits or more",
      })
  void narrowVectorsArePassedOver(String options, String expected) throws Exception {
    assertThat(report(MODULE + options)).startsWith(expected);
  }

  private static String report(String options) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(options.split(" ")));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(KernelChoiceReport.class.getName());
    Process process = new ProcessBuilder(command).redirectError(Redirect.DISCARD).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isZero();
    return output;
  }
}
