package dev.quern.formats.huggingface;

import static dev.quern.formats.huggingface.ModelFolderFixture.single;
import static dev.quern.formats.huggingface.ModelFolderFixture.text;
import static dev.quern.formats.huggingface.ModelFolderFixture.weights;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.quern.formats.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where symbolic links of a model folder may lead, and where not. */
class SymbolicLinkTest {
  @TempDir Path temp;
  private Path model;

  @BeforeEach
  void makeModel() {
    model = single(temp.resolve("model"));
    text(temp.resolve("secret/passwd"), "root");
  }

  private void refuses(String... parts) {
    assertThatExceptionOfType(CheckpointException.class)
        .isThrownBy(() -> HuggingFaceCheckpoint.open(model).close())
        .withMessageContainingAll(parts);
  }

  private void link(String name, String target) throws IOException {
    Path link = model.resolve(name);
    Files.createDirectories(link.getParent());
    Files.createSymbolicLink(link, Path.of(target));
  }

  @Test
  void aFileLinkOutOfTheFolderIsRefused() throws IOException {
    link("README.md", "../secret/passwd");
    refuses("README.md: a symbolic link leads out of the model's folder", "secret/passwd", "trust");
  }

  @Test
  void anAbsoluteLinkInASubfolderIsRefused() throws IOException {
    link("sub/x.json", temp.resolve("secret/passwd").toString());
    refuses("x.json: a symbolic link leads out");
  }

  @Test
  void aFolderLinkOutOfTheFolderIsRefused() throws IOException {
    link("sub", "../secret");
    refuses("sub: a symbolic link leads out");
  }

  @Test
  void aSiblingWhoseNameStartsAlikeIsOutside() throws IOException {
    text(temp.resolve("model-private/key"), "");
    link("x", "../model-private/key");
    refuses("x: a symbolic link leads out");
  }

  @Test
  void configAndWeightsThatAreLinksAreChecked() throws IOException {
    weights(temp.resolve("secret/w.safetensors"), "a");
    Files.delete(model.resolve("model.safetensors"));
    link("model.safetensors", "../secret/w.safetensors");
    refuses("model.safetensors: a symbolic link leads out");
    Files.delete(model.resolve("config.json"));
    link("config.json", "../secret/passwd");
    refuses("config.json: a symbolic link leads out");
  }

  @Test
  void aChainThatEndsOutsideIsRefused() throws IOException {
    link("hop", "../secret/passwd");
    link("a-first", "hop");
    refuses("a symbolic link leads out");
  }

  @Test
  void aBrokenLinkIsRefused() throws IOException {
    link("gone.json", "nowhere.json");
    refuses("gone.json: a symbolic link to a file that does not exist", "remove the link");
  }

  @Test
  void cyclesOfLinksEnd() throws IOException {
    link("one", "two");
    link("two", "one");
    refuses("a symbolic link that cannot be followed", "Remove the link");
  }

  @Test
  void linksInsideTheFolderAreFine() throws IOException {
    text(model.resolve("data/tokenizer.json"), "{}");
    link("tokenizer.json", "data/tokenizer.json");
    link("alias", "data");
    link("data/up", "..");
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(model)) {
      assertThat(checkpoint.otherFiles()).containsExactly("data/tokenizer.json", "tokenizer.json");
      String reason = "a link to a folder; only the folder itself is copied";
      assertThat(checkpoint.leftOut())
          .contains(new LeftOutFile("alias", reason), new LeftOutFile("data/up", reason));
    }
  }

  @Test
  void theFolderItselfMayBeALink() throws IOException {
    Path link = Files.createSymbolicLink(temp.resolve("link"), model);
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(link)) {
      assertThat(checkpoint.tensors()).hasSize(2);
    }
  }

  @Test
  void aHubCacheSnapshotMayLinkToItsBlobs() throws IOException {
    Path repository = temp.resolve("hub/models--me--tiny");
    single(repository.resolve("blobs"));
    text(repository.resolve("blobs/abc"), "x");
    model = repository.resolve("snapshots/0123abcd");
    link("config.json", "../../blobs/config.json");
    link("model.safetensors", "../../blobs/model.safetensors");
    link("sub/tokenizer.json", "../../../blobs/abc");
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(model)) {
      assertThat(checkpoint.tensors()).hasSize(2);
      assertThat(checkpoint.otherFiles()).containsExactly("sub/tokenizer.json");
    }
    text(temp.resolve("hub/models--me--other/blobs/def"), "x");
    link("other.json", "../../../models--me--other/blobs/def");
    refuses("other.json: a symbolic link leads out");
  }

  @Test
  void aFolderThatOnlyLooksLikeACacheIsNone() throws IOException {
    Path repository = temp.resolve("hub/datasets--me--tiny");
    text(repository.resolve("blobs/abc"), "x");
    model = single(repository.resolve("snapshots/0123abcd"));
    link("x", "../../blobs/abc");
    refuses("x: a symbolic link leads out");
  }
}
