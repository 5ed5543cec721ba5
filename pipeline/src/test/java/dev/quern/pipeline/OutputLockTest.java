package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutputLockTest {
  @TempDir Path temp;

  @Test
  void oneAtATime() throws Exception {
    Path file = temp.resolve("lock");
    try (FileChannel first = OutputLock.take(file)) {
      assertThat(first).isNotNull();
      assertThat(OutputLock.take(file)).isNull();
    }
    try (FileChannel next = OutputLock.take(file)) {
      assertThat(next).isNotNull();
    }
  }

  /** Another process cannot have it; the JVM's own table of locks would not tell. */
  @Test
  void otherProcessesAreKeptOut() throws Exception {
    Path file = temp.resolve("lock");
    Path probe = temp.resolve("Probe.java");
    Files.writeString(
        probe,
        """
        import java.nio.channels.FileChannel;
        import java.nio.file.Path;
        import java.nio.file.StandardOpenOption;

        class Probe {
          public static void main(String[] args) throws Exception {
            try (var channel = FileChannel.open(Path.of(args[0]), StandardOpenOption.WRITE)) {
              System.exit(channel.tryLock() == null ? 7 : 8);
            }
          }
        }
        """);
    try (FileChannel first = OutputLock.take(file)) {
      assertThat(first).isNotNull();
      assertThat(OutputLock.take(file)).isNull();
      assertThat(exitCode(probe, file)).isEqualTo(7);
    }
    assertThat(exitCode(probe, file)).isEqualTo(8);
  }

  private static int exitCode(Path probe, Path file) throws Exception {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    return new ProcessBuilder(java, probe.toString(), file.toString())
        .inheritIO()
        .start()
        .waitFor();
  }

  /** The second run opened the file before the first one deleted it; the third made a new one. */
  @Test
  void aFileThatLostItsNameIsNoLock() throws Exception {
    Path file = temp.resolve("lock");
    try (FileChannel second =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      assertThat(second.tryLock()).isNotNull();
      assertThat(OutputLock.isStillThere(file, second)).isTrue();
      Files.delete(file);
      assertThat(OutputLock.isStillThere(file, second)).isFalse();
      try (FileChannel third = OutputLock.take(file)) {
        assertThat(third).isNotNull();
        assertThat(OutputLock.isStillThere(file, second)).isFalse();
        assertThat(OutputLock.isStillThere(file, third)).isTrue();
      }
    }
  }
}
