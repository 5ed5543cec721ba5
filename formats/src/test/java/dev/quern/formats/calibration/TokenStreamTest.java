package dev.quern.formats.calibration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.text.TextEncoder;
import dev.quern.testdata.TestData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenStreamTest {
  private static final int VOCABULARY = 2048;
  private static final int BEGIN = 0;
  private static final int END = 1;

  @TempDir Path temp;

  private Path file(String name, String text) throws IOException {
    return Files.writeString(temp.resolve(name), text);
  }

  private static TokenStream read(Path file, int limit) {
    try (TextEncoder encoder = TextEncoder.of(TestData.path("models/storyteller-4m"))) {
      return TokenStream.read(file, encoder, VOCABULARY, OptionalInt.of(END), limit);
    }
  }

  @Test
  void documentsHaveBeginAndEnd() throws IOException {
    TokenStream one = read(file("a.txt", "Once upon a time\n"), 1000);
    TokenStream two =
        read(file("b.txt", "Once upon a time\n<|endoftext|>\nOnce upon a time"), 1000);

    assertThat(one.ids()).startsWith(BEGIN, 870).endsWith(END).hasSize(6);
    assertThat(one.isCut()).isFalse();
    assertThat(two.records()).isEqualTo(2);
    assertThat(two.ids()).hasSize(12).endsWith(one.ids());
  }

  /** A blank line does not part documents here, as it does for calibration. */
  @Test
  void textWithoutSeparatorsIsOneDocument() throws IOException {
    TokenStream stream = read(file("a.txt", "Once upon a time\n\nthere was a girl.\n"), 1000);
    assertThat(stream.records()).isEqualTo(1);
    assertThat(stream.ids()).containsOnlyOnce(BEGIN).containsOnlyOnce(END);
  }

  @Test
  void idsAreTakenAsTheyAre() throws IOException {
    Path ids = file("a.jsonl", "{\"input_ids\": [5, 6]}\n\n{\"input_ids\": [7, 8, 9]}\n");
    assertThat(read(ids, 1000).ids()).containsExactly(5, 6, 7, 8, 9);
    TokenStream cut = read(ids, 4);
    assertThat(cut.ids()).containsExactly(5, 6, 7, 8);
    assertThat(cut.isCut()).isTrue();
    assertThat(read(ids, 5).isCut()).isFalse();
    assertThat(read(ids, 2).isCut()).isTrue();
  }

  @Test
  void nothingToReadIsRefused() throws IOException {
    Path blank = file("a.txt", " \n\n \n");
    assertThatThrownBy(() -> read(blank, 10))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("expected text, found none");
  }

  @Test
  void endOutsideOfTheVocabularyIsRefused() throws IOException {
    Path text = file("a.txt", "Once");
    try (TextEncoder encoder = TextEncoder.of(TestData.path("models/storyteller-4m"))) {
      assertThatThrownBy(() -> TokenStream.read(text, encoder, 8, OptionalInt.of(8), 10))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("eos_token_id");
    }
  }
}
