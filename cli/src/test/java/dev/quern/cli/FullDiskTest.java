package dev.quern.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.quern.testdata.TinyCheckpoint;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A disk that takes no more: a process of its own whose files the system keeps below a size. To the
 * command that is the same as a full disk, an error in the middle of a write.
 */
class FullDiskTest {
  private static final Path BASH = Path.of("/bin/bash");

  @TempDir Path temp;

  @Test
  void weightsThatDoNotFitLeaveNothing() throws Exception {
    TinyCheckpoint.llama("BF16").random("model.extra", 100_000).write(temp.resolve("in"));
    fails(64, "model.safetensors: cannot be written");
  }

  @Test
  void indexThatDoesNotFitLeavesNothing() throws Exception {
    TinyCheckpoint tiny = TinyCheckpoint.llama("BF16");
    for (int i = 0; i < 150; i++) {
      tiny.random("model.a_rather_long_name_for_a_vector_of_four." + i + ".weight", 4);
    }
    tiny.write(temp.resolve("in"));
    fails(8, "model.safetensors.index.json: cannot be written", "--max-shard-size", "8");
  }

  @Test
  void copiedFileThatDoesNotFitLeavesNothing() throws Exception {
    TinyCheckpoint.llama("BF16").write(temp.resolve("in"));
    Files.write(temp.resolve("in/tokenizer.json"), new byte[200_000]);
    fails(64, "cannot be written");
  }

  private void fails(int kibibytes, String place, String... more) throws Exception {
    assumeTrue(Files.isExecutable(BASH));
    Map<String, String> before = FolderState.of(temp);
    List<String> command = new ArrayList<>();
    command.addAll(List.of(BASH.toString(), "-c", "ulimit -f " + kibibytes + "; exec \"$@\"", "-"));
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:-UsePerfData", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(List.of("compress", temp.resolve("in").toString(), "--scheme", "FP8_DYNAMIC"));
    command.addAll(List.of("--output", temp.resolve("out").toString()));
    command.addAll(Arrays.asList(more));

    Process process =
        new ProcessBuilder(command).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(process.waitFor()).as(err).isEqualTo(ExitCode.OUTPUT);
    assertThat(err).contains(place).contains("File too large").contains("free space");
    assertThat(err).doesNotContain("\tat ");
    assertThat(FolderState.of(temp)).isEqualTo(before);
  }
}
