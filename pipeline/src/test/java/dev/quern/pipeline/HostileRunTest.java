package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.testdata.TinyCheckpoint;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What happens to a run whose files change under it. Stages begin at known moments, so each case is
 * the same every time.
 */
class HostileRunTest {
  @TempDir Path temp;
  private Path source;
  private Path output;

  @BeforeEach
  void checkpoint() {
    source = TinyCheckpoint.llama("BF16").write(temp.resolve("in"));
    output = temp.resolve("out");
  }

  /** Something that happens when a stage begins. */
  private interface Event {
    void happen() throws IOException;
  }

  private ThrowingCallable run(String stage, Event event) {
    Progress progress =
        new Progress() {
          @Override
          public void stage(String name, long bytes) {
            if (name.equals(stage)) {
              try {
                event.happen();
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            }
          }

          @Override
          public void advance(long bytes) {}
        };
    return () -> Quern.compress(CompressionOptions.of(source, output, "FP8_DYNAMIC"), progress);
  }

  private void fails(QuernException.Kind kind, String where, ThrowingCallable run)
      throws IOException {
    assertThatThrownBy(run)
        .isInstanceOfSatisfying(QuernException.class, e -> assertThat(e.kind()).isEqualTo(kind))
        .hasMessageContaining(where);
    assertThat(names()).containsExactly("in");
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(temp)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private void resize(int bytes) throws IOException {
    try (RandomAccessFile file =
        new RandomAccessFile(source.resolve("model.safetensors").toFile(), "rw")) {
      file.setLength(file.length() + bytes);
    }
  }

  /** Changes the last byte of a file. */
  private static void flip(Path path, int bits) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.seek(file.length() - 1);
      int last = file.read();
      file.seek(file.length() - 1);
      file.write(last ^ bits);
    }
  }

  @Test
  void sourceThatShrinksIsRefused() throws IOException {
    fails(
        QuernException.Kind.INPUT,
        "Let nothing else write to the file",
        run("compress", () -> resize(-100)));
  }

  @Test
  void sourceThatGrowsIsRefused() throws IOException {
    fails(
        QuernException.Kind.INPUT,
        "Let nothing else write to the file",
        run("compress", () -> resize(+100)));
  }

  @Test
  void sourceThatShrinksBeforeTheComparisonIsRefused() throws IOException {
    fails(
        QuernException.Kind.INPUT,
        "Let nothing else write to the file",
        run("verify", () -> resize(-100)));
  }

  @Test
  void sourceThatChangesBeforeTheComparisonIsFound() throws IOException {
    // The last tensor of the file is the head, which is copied.
    fails(
        QuernException.Kind.VERIFICATION,
        "tensor lm_head.weight: byte 1535 differs",
        run("verify", () -> flip(source.resolve("model.safetensors"), 1)));
  }

  @Test
  void outputThatIsDamagedBeforeTheComparisonIsFound() throws IOException {
    fails(
        QuernException.Kind.VERIFICATION,
        "compress again",
        run("verify", () -> flip(temp.resolve(".out.quern-partial/model.safetensors"), 0x55)));
  }

  @Test
  void folderThatAppearsMeanwhileIsNotReplaced() throws IOException {
    assertThatThrownBy(
            run(
                "verify",
                () -> {
                  Files.createDirectory(output);
                  Files.writeString(output.resolve("thesis.txt"), "years of work");
                }))
        .isInstanceOfSatisfying(
            QuernException.class, e -> assertThat(e.kind()).isEqualTo(QuernException.Kind.OUTPUT))
        .hasMessageContaining("exists already and is not empty");
    assertThat(output.resolve("thesis.txt")).hasContent("years of work");
    assertThat(names()).containsExactly("in", "out");
  }

  @Test
  void interruptedRunLeavesNothing() throws IOException {
    assertThatThrownBy(run("compress", () -> Thread.currentThread().interrupt()))
        .isInstanceOf(InterruptedException.class);
    Thread.interrupted();
    assertThat(names()).containsExactly("in");
  }

  @Test
  void faultOfAListenerLeavesNothing() throws IOException {
    assertThatThrownBy(
            run(
                "verify",
                () -> {
                  throw new IOException("a listener's own");
                }))
        .isInstanceOf(UncheckedIOException.class);
    assertThat(names()).containsExactly("in");
  }

  @Test
  void outputThatVanishesMeanwhileIsAnOutputError() throws IOException {
    fails(
        QuernException.Kind.OUTPUT,
        "out: cannot be written",
        run(
            "verify",
            () -> {
              Path partial = temp.resolve(".out.quern-partial");
              try (Stream<Path> files = Files.list(partial)) {
                for (Path file : files.toList()) {
                  Files.delete(file);
                }
              }
              Files.delete(partial);
            }));
  }
}
