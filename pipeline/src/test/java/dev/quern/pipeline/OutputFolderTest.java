package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutputFolderTest {
  @TempDir Path temp;
  private Path output;
  private Path source;

  @BeforeEach
  void paths() throws IOException {
    output = temp.resolve("out");
    source = Files.createDirectory(temp.resolve("in"));
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(temp)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void takesItsNameOnlyWhenItIsPublished() throws IOException {
    try (OutputFolder folder = OutputFolder.create(output)) {
      Files.writeString(folder.partial().resolve("config.json"), "{}");
      assertThat(output).doesNotExist();
      folder.publish();
      assertThat(output.resolve("config.json")).hasContent("{}");
    }
    assertThat(names()).containsExactly("in", "out");
  }

  @Test
  void putsBackWhatAKilledRunHadMovedAway() throws IOException {
    Files.createDirectory(temp.resolve(".out.quern-old"));
    Files.writeString(temp.resolve(".out.quern-old/config.json"), "old");
    assertThatThrownBy(() -> OutputFolder.create(output))
        .isInstanceOf(QuernException.class)
        .hasMessageContainingAll("the old one was put back", "--overwrite");
    assertThat(output.resolve("config.json")).hasContent("old");
    assertThat(names()).containsExactly("in", "out");
    try (OutputFolder folder = OutputFolder.create(output)) {
      assertThat(folder.partial()).isEmptyDirectory();
    }
  }

  @Test
  void vanishesWhenItIsNotPublished() throws IOException {
    try (OutputFolder folder = OutputFolder.create(output)) {
      Files.createDirectories(folder.partial().resolve("a/b"));
      Files.writeString(folder.partial().resolve("a/b/c"), "c");
    }
    assertThat(names()).containsExactly("in");
  }

  @Test
  void parentsAreMade() {
    Path deep = temp.resolve("some/where/out");
    try (OutputFolder folder = OutputFolder.create(deep)) {
      folder.publish();
    }
    assertThat(deep).isEmptyDirectory();
  }

  @Test
  void secondRunOfTheSameOutputIsRefused() throws IOException {
    try (OutputFolder first = OutputFolder.create(output)) {
      Files.writeString(first.partial().resolve("x"), "x");
      assertThatThrownBy(() -> OutputFolder.create(output))
          .isInstanceOf(QuernException.class)
          .hasMessage(
              output + ": is being written by another run. Wait for it, or name another folder.");
      assertThat(first.partial().resolve("x")).exists();
      try (OutputFolder other = OutputFolder.create(temp.resolve("other"))) {
        other.publish();
      }
      first.publish();
    }
    assertThat(names()).containsExactly("in", "other", "out");
  }

  @Test
  void nextRunMayFollow() {
    for (int run = 0; run < 3; run++) {
      try (OutputFolder folder = OutputFolder.create(output)) {
        folder.publish();
      }
    }
    assertThat(output).isEmptyDirectory();
  }

  @Test
  void whatAKilledRunLeftIsRemoved() throws IOException {
    Path stale = Files.createDirectories(temp.resolve(".out.quern-partial/deep"));
    Files.writeString(stale.resolve("model.safetensors"), "half");
    Files.createFile(temp.resolve(".out.quern-lock"));

    try (OutputFolder folder = OutputFolder.create(output)) {
      assertThat(folder.partial()).isEmptyDirectory();
      folder.publish();
    }

    assertThat(names()).containsExactly("in", "out");
    assertThat(output).isEmptyDirectory();
  }

  @Test
  void linksInWhatAKilledRunLeftAreNotFollowed() throws IOException {
    Files.writeString(source.resolve("config.json"), "{}");
    Path stale = Files.createDirectory(temp.resolve(".out.quern-partial"));
    Files.createSymbolicLink(stale.resolve("link"), source);

    OutputFolder.create(output).close();

    assertThat(source.resolve("config.json")).exists();
  }

  @Test
  void publishReplacesAnOldCheckpoint() throws IOException {
    Files.createDirectories(output.resolve("assets"));
    Files.writeString(output.resolve("config.json"), "old");
    Files.writeString(output.resolve("assets/old"), "old");

    try (OutputFolder folder = OutputFolder.create(output)) {
      Files.writeString(folder.partial().resolve("config.json"), "new");
      assertThat(output.resolve("config.json")).hasContent("old");
      folder.publish();
    }

    assertThat(output.resolve("config.json")).hasContent("new");
    assertThat(output.resolve("assets")).doesNotExist();
    assertThat(names()).containsExactly("in", "out");
  }

  @Test
  void failureLeavesTheOldCheckpoint() throws IOException {
    Files.createDirectories(output);
    Files.writeString(output.resolve("config.json"), "old");

    try (OutputFolder folder = OutputFolder.create(output)) {
      Files.writeString(folder.partial().resolve("config.json"), "new");
    }

    assertThat(output.resolve("config.json")).hasContent("old");
    assertThat(names()).containsExactly("in", "out");
  }

  @Test
  void publishThatFailsLeavesTheOldCheckpoint() throws IOException {
    Files.createDirectories(output);
    Files.writeString(output.resolve("config.json"), "old");

    OutputFolder folder = OutputFolder.create(output);
    Files.delete(folder.partial());
    assertThatThrownBy(folder::publish)
        .isInstanceOf(QuernException.class)
        .hasMessageStartingWith(output + ": cannot be written");
    folder.close();

    assertThat(output.resolve("config.json")).hasContent("old");
    assertThat(names()).containsExactly("in", "out");
  }

  @Test
  void hiddenFolderThatCannotBeMadeLeavesNoLock() throws IOException {
    Path longName = temp.resolve("a".repeat(242));
    assertThatThrownBy(() -> OutputFolder.create(longName))
        .isInstanceOf(QuernException.class)
        .hasMessageContaining("cannot be written");
    assertThat(names()).containsExactly("in");
  }

  @Test
  void checkTouchesNothing() throws IOException {
    OutputFolder.check(output, source, false);
    OutputFolder.check(temp.resolve("new/deep/out"), source, true);
    assertThat(names()).containsExactly("in");
  }

  @Test
  void namesThatOnlyBeginLikeTheSourceAreFine() throws IOException {
    OutputFolder.check(temp.resolve("in-fp8"), source, false);
    assertThat(names()).containsExactly("in");
  }
}
