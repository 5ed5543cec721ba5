package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.cli.HostileCase.Scene;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What {@code quern compress} must refuse: the documented exit code, one message that names the
 * place and the remedy, no stack trace, and a disk that is as it was.
 */
class HostileCheckpointsTest {
  @TempDir Path temp;

  static List<HostileCase> cases() {
    return Stream.of(
            HostileHeaders.cases(),
            HostileFolders.cases(),
            HostileTensors.cases(),
            HostileRequests.cases(),
            HostileOutputs.cases())
        .flatMap(List::stream)
        .toList();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void isRefusedAndLeavesNothing(HostileCase hostile) throws Exception {
    Scene scene = Scene.below(temp);
    hostile.damage().apply(scene);
    Map<String, String> before = FolderState.of(temp);

    QuernProcess run = QuernProcess.run(scene.args().toArray(String[]::new));

    assertThat(run.err()).contains(hostile.place()).contains(hostile.remedy());
    assertThat(run.exitCode()).as(run.err()).isEqualTo(hostile.exitCode());
    assertThat(run.err()).doesNotContain("\tat ").doesNotContain("this is a fault");
    assertThat(run.out()).isEmpty();
    assertThat(FolderState.of(temp)).isEqualTo(before);
  }

  @Test
  void casesAreManyAndEachHasItsOwnName() {
    List<HostileCase> cases = cases();
    assertThat(cases).hasSizeGreaterThanOrEqualTo(120);
    assertThat(cases).extracting(HostileCase::name).doesNotHaveDuplicates();
    assertThat(cases).allSatisfy(hostile -> assertThat(hostile.remedy()).isNotBlank());
  }
}
