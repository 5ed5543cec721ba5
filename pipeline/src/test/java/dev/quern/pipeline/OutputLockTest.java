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
