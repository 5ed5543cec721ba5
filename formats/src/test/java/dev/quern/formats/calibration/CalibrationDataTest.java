package dev.quern.formats.calibration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.text.TextEncoder;
import dev.quern.testdata.TestData;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** From files of every kind to ids. */
class CalibrationDataTest {
  private static final int VOCABULARY = 2048;
  private static final CalibrationOptions DEFAULTS = CalibrationOptions.defaults();
  private static final Path MODEL = TestData.path("models/storyteller-4m");

  @TempDir Path folder;

  private Path file(String name, String content) throws IOException {
    return Files.writeString(folder.resolve(name), content);
  }

  /** Reads with an encoder that fails at the first text: the folder has no tokenizer. */
  private CalibrationSet ids(Path file, CalibrationOptions options) {
    try (TextEncoder none = TextEncoder.of(folder)) {
      return CalibrationData.read(file, none, VOCABULARY, options);
    }
  }

  private static CalibrationSet texts(Path file, CalibrationOptions options) {
    try (TextEncoder encoder = TextEncoder.of(MODEL)) {
      return CalibrationData.read(file, encoder, VOCABULARY, options);
    }
  }

  private static int[] encoded(String text) {
    try (TextEncoder encoder = TextEncoder.of(MODEL)) {
      return encoder.encode(text);
    }
  }

  private static List<List<Integer>> all(CalibrationSet set) {
    return IntStream.range(0, set.size())
        .mapToObj(i -> IntStream.of(set.ids(i)).boxed().toList())
        .toList();
  }

  private Path numbered(int records) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < records; i++) {
      lines.append("{\"input_ids\": [").append(i).append(", ").append(i).append(", 7]}\n");
    }
    return file("numbered.jsonl", lines.toString());
  }

  @Test
  void jsonLinesOfEveryKind() throws IOException {
    Path data =
        file(
            "data.jsonl",
            "\ufeff{\"text\": \"Once upon a time\", \"id\": 3}\r\n"
                + "\n"
                + "{\"input_ids\": [0, 5, 6], \"text\": \"ignored\"}\n"
                + "{\"text\": \"  \"}\n"
                + "{\"input_ids\": [9, 9, 0, 5, 9], \"attention_mask\": [0, 0, 1, 1, 0]}");
    CalibrationSet set = texts(data, DEFAULTS);
    assertThat(set.size()).isEqualTo(3);
    assertThat(set.ids(0)).isEqualTo(encoded("Once upon a time")).startsWith(0);
    assertThat(set.ids(1)).containsExactly(0, 5, 6);
    assertThat(set.ids(2)).containsExactly(0, 5);
    assertThat(set.tokens()).isEqualTo(set.length(0) + 5L);
    assertThat(set.longest()).isEqualTo(set.length(0));
    assertThat(set.notes())
        .containsExactly(
            data + ": 1 empty records were left out.",
            data + ": 512 samples were asked for, and the data gives 3.");
  }

  @Test
  void conversationsGoThroughTheTemplate() throws IOException {
    Files.copy(MODEL.resolve("tokenizer.json"), folder.resolve("tokenizer.json"));
    file(
        "chat_template.jinja",
        "<|begin_of_text|>{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}");
    Path data =
        file(
            "chat.jsonl",
            "{\"messages\": [{\"role\": \"user\", \"content\": \"Hi.\"},"
                + " {\"role\": \"assistant\", \"content\": \"Yes?\"}]}\n");
    CalibrationSet lines = ids(data, DEFAULTS);
    assertThat(lines.ids(0)).isEqualTo(encoded("user: Hi.\nassistant: Yes?\n"));
  }

  @Test
  void paragraphsAndDocuments() throws IOException {
    CalibrationSet paragraphs = texts(file("a.txt", "One\nline\n\n\nTwo.  \n \nThree"), DEFAULTS);
    assertThat(paragraphs.size()).isEqualTo(3);
    assertThat(paragraphs.ids(0)).isEqualTo(encoded("One\nline"));
    CalibrationSet documents =
        texts(
            file("b.txt", "One\n\nline<|endoftext|>Two<|endoftext|>\n<|endoftext|>\n3"), DEFAULTS);
    assertThat(documents.size()).isEqualTo(3);
    assertThat(documents.ids(0)).isEqualTo(encoded("One\n\nline"));
    assertThat(documents.ids(2)).isEqualTo(encoded("3"));
  }

  /** A safetensors file by hand, so that the reader meets bytes that our writer did not make. */
  private Path tensors(String name, String header, ByteBuffer data) throws IOException {
    Path path = folder.resolve(name);
    try (OutputStream out = Files.newOutputStream(path)) {
      byte[] text = header.getBytes(StandardCharsets.UTF_8);
      ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
      out.write(length.putLong(text.length).array());
      out.write(text);
      out.write(data.array());
    }
    return path;
  }

  @ParameterizedTest
  @ValueSource(strings = {"I32", "I64"})
  void idTensorsAreUsedAsTheyAre(String dtype) throws IOException {
    int width = dtype.equals("I64") ? 8 : 4;
    ByteBuffer data = ByteBuffer.allocate(6 * width).order(ByteOrder.LITTLE_ENDIAN);
    for (int id : new int[] {1, 2, 3, 2047, 0, 0}) {
      if (width == 8) {
        data.putLong(id);
      } else {
        data.putInt(id);
      }
    }
    Path path =
        tensors(
            dtype + ".safetensors",
            "{\"input_ids\":{\"dtype\":\""
                + dtype
                + "\",\"shape\":[2,3],\"data_offsets\":[0,"
                + 6 * width
                + "]}}",
            data);
    CalibrationSet set = ids(path, DEFAULTS);
    assertThat(all(set)).containsExactly(List.of(1, 2, 3), List.of(2047, 0, 0));
    assertThat(set.notes()).isEmpty();
    assertThat(all(ids(path, DEFAULTS.withSamples(1).withSequenceLength(2))))
        .containsExactly(List.of(1, 2));
    assertThatThrownBy(() -> CalibrationData.read(path, TextEncoder.of(folder), 2047, DEFAULTS))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContainingAll("row 1", "ids from 0 to 2046", "found 2047 at position 0");
  }

  @Test
  void tensorsOfOtherKindsAreRefused() throws IOException {
    Path other =
        tensors(
            "o.safetensors",
            "{\"input_ids\":{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[0,4]}}",
            ByteBuffer.allocate(4));
    assertThatThrownBy(() -> ids(other, DEFAULTS))
        .hasMessageContainingAll("tensor input_ids", "expected I32 or I64, found F32");
    Path flat =
        tensors(
            "f.safetensors",
            "{\"input_ids\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
            ByteBuffer.allocate(4));
    assertThatThrownBy(() -> ids(flat, DEFAULTS)).hasMessageContaining("[samples, tokens]");
    Path without =
        tensors(
            "w.safetensors",
            "{\"x\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
            ByteBuffer.allocate(4));
    assertThatThrownBy(() -> ids(without, DEFAULTS))
        .hasMessageContaining("expected a tensor input_ids, found [x]");
  }

  @Test
  void withoutSeedTheFirstRecords() throws IOException {
    CalibrationSet set = ids(numbered(100), DEFAULTS.withSamples(3).withSequenceLength(2));
    assertThat(all(set)).containsExactly(List.of(0, 0), List.of(1, 1), List.of(2, 2));
  }

  /** The algorithm as it is stated, done in full: draw for each record, sort, take the first. */
  @ParameterizedTest
  @CsvSource({"1, 10", "2, 10", "2, 500", "-5, 1"})
  void withSeedTheSmallestDraws(long seed, int samples) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    long[] draws = random.longs(200).toArray();
    List<Integer> expected =
        IntStream.range(0, 200)
            .boxed()
            .sorted(java.util.Comparator.comparingLong(i -> draws[i]))
            .limit(samples)
            .toList();
    CalibrationSet set = ids(numbered(200), DEFAULTS.withSamples(samples).withSeed(seed));
    assertThat(all(set).stream().map(List::getFirst)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({"true", "false"})
  void packingJoinsAndCuts(boolean shuffled) throws IOException {
    CalibrationOptions options = DEFAULTS.withSamples(7).withSequenceLength(8).withPacking(true);
    CalibrationOptions used = shuffled ? options.withSeed(3) : options;
    CalibrationOptions unpacked =
        shuffled ? DEFAULTS.withSamples(500).withSeed(3) : DEFAULTS.withSamples(500);
    Path data = numbered(200);
    List<Integer> stream = all(ids(data, unpacked)).stream().flatMap(List::stream).toList();
    CalibrationSet set = ids(data, used);
    assertThat(set.size()).isEqualTo(7);
    assertThat(all(set).stream().flatMap(List::stream)).isEqualTo(stream.subList(0, 56));
    assertThat(IntStream.range(0, 7).map(set::length)).containsOnly(8);
    CalibrationSet rest = ids(numbered(5), used);
    assertThat(IntStream.range(0, rest.size()).map(rest::length)).containsExactly(8, 7);
  }

  @Test
  void digestTellsSetsApart() throws IOException {
    Path data = numbered(50);
    String digest = ids(data, DEFAULTS.withSeed(1)).digest();
    assertThat(ids(data, DEFAULTS.withSeed(1)).digest()).isEqualTo(digest);
    assertThat(ids(data, DEFAULTS.withSeed(2)).digest()).isNotEqualTo(digest);
    assertThat(ids(data, DEFAULTS.withSeed(1).withSequenceLength(2)).digest()).isNotEqualTo(digest);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"input_ids": [1, 2048]}       | expected token ids from 0 to 2047 (the model has 2048 embeddings), found 2048 at position 1
          {"input_ids": [-1]}            | found -1 at position 0
          {"input_ids": [99999999999]}   | found 99999999999 at position 0
          {"input_ids": [1.5]}           | input_ids[0]: expected a whole number, found 1.5
          {"input_ids": "1"}             | input_ids: expected a list of whole numbers, found a string
          {"input_ids": [1], "attention_mask": [1, 1]} | as many values in attention_mask as in input_ids, found 2 and 1
          {"input_ids": [1, 2, 3], "attention_mask": [1, 0, 1]} | zeros at the ends only, found 0 at position 1
          {"prompt": "x"}                | expected input_ids, messages or text, found prompt
          {}                             | found nothing
          {"text": 3}                    | text: expected a string, found a number
          {"text": null}                 | text: expected a string, found null
          {"text": "x"}                  | tokenizer.json: no such file
          {"messages": []}               | messages: expected at least one message, found an empty list
          {"messages": ["x"]}            | messages[0]: expected an object with role, found a string
          {"messages": [{"from": "x"}]}  | messages[0]: expected a role that is a string, found from
          {"messages": [{"role": "x"}]}  | no chat template
          [{"text": "x"}]                | Write JSON lines: one object a line
          "text"                         | expected a JSON object, the whole of it on this line, found a string
          {"text": "x"                   | not valid JSON
          """)
  void linesThatAreWrong(String line, String message) throws IOException {
    Path data = file("bad.jsonl", "{\"input_ids\": [1]}\n\n" + line + "\n");
    assertThatThrownBy(() -> ids(data, DEFAULTS))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(message)
        .satisfies(
            e -> {
              if (!message.startsWith("tokenizer") && !message.startsWith("no chat")) {
                assertThat(e).hasMessageContaining("bad.jsonl, line 3");
              }
            });
  }

  @Test
  void filesThatAreWrong() throws IOException {
    assertThatThrownBy(() -> ids(folder.resolve("none.jsonl"), DEFAULTS))
        .hasMessageContaining("no such file");
    assertThatThrownBy(() -> ids(folder.resolve("data.parquet"), DEFAULTS))
        .hasMessageContaining("Write it as JSON lines");
    assertThatThrownBy(() -> ids(folder, DEFAULTS)).hasMessageContaining("found a folder");
    assertThatThrownBy(() -> ids(file("data.csv", "x"), DEFAULTS))
        .hasMessageContaining("Rename the file after what it holds");
    assertThatThrownBy(() -> ids(file("data.jsonl.gz", "x"), DEFAULTS))
        .hasMessageContaining("Unpack the file first");
    assertThatThrownBy(() -> ids(file("empty.jsonl", ""), DEFAULTS))
        .hasMessageContaining("expected at least one record with a token, found no record");
    assertThatThrownBy(() -> ids(file("empty.txt", "\n\n"), DEFAULTS))
        .hasMessageContaining("found no record");
    assertThatThrownBy(() -> ids(file("blank.jsonl", "{\"text\": \"\"}\n"), DEFAULTS))
        .hasMessageContaining("found 1 without any");
    Path latin = folder.resolve("latin.txt");
    Files.write(latin, "one\n\u00e9t\u00e9\n".getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> ids(latin, DEFAULTS))
        .hasMessageContainingAll("latin.txt, line 2, byte 0", "Save the file as UTF-8");
    assertThatThrownBy(
            () -> ids(numbered(1), DEFAULTS.withSamples(1 << 20).withSequenceLength(1 << 20)))
        .hasMessageContaining("Ask for fewer samples");
    assertThatThrownBy(() -> DEFAULTS.withSamples(0)).isInstanceOf(IllegalArgumentException.class);
  }

  /** A line without end is refused before it fills the memory. */
  @Test
  void linesHaveALimit() throws IOException {
    Path data = folder.resolve("long.jsonl");
    byte[] chunk = "x".repeat(1 << 20).getBytes(StandardCharsets.UTF_8);
    try (OutputStream out = Files.newOutputStream(data)) {
      for (int i = 0; i < 17; i++) {
        out.write(chunk);
      }
    }
    assertThatThrownBy(() -> ids(data, DEFAULTS))
        .hasMessageContaining("expected lines of at most 16777216 bytes");
  }

  @Test
  void embeddedTextSaysWhatItIs() {
    try (TextEncoder encoder = TextEncoder.of(MODEL)) {
      CalibrationSet set =
          CalibrationData.embedded(
              encoder,
              VOCABULARY,
              DEFAULTS.withSamples(16).withSequenceLength(512).withPacking(true));
      assertThat(set.size()).isEqualTo(16);
      assertThat(set.tokens()).isEqualTo(16 * 512);
      assertThat(set.notes().getFirst()).contains("No calibration data was given");
      CalibrationSet pieces = CalibrationData.embedded(encoder, VOCABULARY, DEFAULTS);
      assertThat(pieces.size()).isEqualTo(25);
    }
  }

  /** Where a record begins is what messages name. */
  @Test
  void records() throws IOException {
    List<CalibrationRecord> records = new ArrayList<>();
    try (PlainTextSource source = new PlainTextSource(file("r.txt", "a\n\nb\nc\n"), false)) {
      for (CalibrationRecord r = source.next(); r != null; r = source.next()) {
        records.add(r);
      }
    }
    assertThat(records.stream().map(CalibrationRecord::where))
        .containsExactly(
            folder.resolve("r.txt") + ", line 1", folder.resolve("r.txt") + ", line 3");
  }
}
