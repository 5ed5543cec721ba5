package dev.quern.formats.calibration;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.text.TextEncoder;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Reads calibration data.
 *
 * <table>
 * <caption>Kinds of files, by the end of their names</caption>
 * <tr><th>end</th><th>a record is</th></tr>
 * <tr><td>{@code .jsonl}, {@code .ndjson}, {@code .json}</td><td>a line: an object with {@code
 * input_ids}, {@code messages} or {@code text}, the first of them that it has</td></tr>
 * <tr><td>{@code .txt}, {@code .text}, {@code .md}</td><td>a document between {@code
 * <|endoftext|>}, or a paragraph between empty lines</td></tr>
 * <tr><td>{@code .safetensors}</td><td>a row of {@code input_ids}, int32 or int64 [samples,
 * tokens]</td></tr>
 * </table>
 *
 * <p>Files are streamed. Memory is taken for the chosen samples and one record.
 */
public final class CalibrationData {
  private static final String DEFAULT_TEXT = "default-text.txt";

  private CalibrationData() {}

  /**
   * Reads a file.
   *
   * @param file the data
   * @param encoder the model's tokenizer and chat template; not touched when the file holds ids
   * @param vocabulary the number of the model's embeddings; ids are below it
   * @param options how much, and which part
   * @return at least one sample
   * @throws CheckpointException when the file, a record, the tokenizer or the template cannot be
   *     used, or no sample is left
   */
  public static CalibrationSet read(
      Path file, TextEncoder encoder, int vocabulary, CalibrationOptions options) {
    try (RecordSource source = open(file, false)) {
      return read(file.toString(), source, encoder, vocabulary, options, new ArrayList<>());
    }
  }

  /**
   * The text in the jar, for people without data: 25 short pieces, mostly from old novels, with a
   * few about code, sums and everyday matters, in English and a little of other languages. A note
   * of the set says that it is no match for data like what the model will see.
   */
  public static CalibrationSet embedded(
      TextEncoder encoder, int vocabulary, CalibrationOptions options) {
    List<String> notes = new ArrayList<>();
    notes.add(
        "No calibration data was given, so a small text that comes with quern is used: a few pages"
            + " of old novels, code and everyday prose. Data like what the model will see gives"
            + " better scales.");
    String name = "quern's default text";
    try (RecordSource source = new PlainTextSource(name, CalibrationData::defaultText)) {
      return read(name, source, encoder, vocabulary, options, notes);
    }
  }

  private static InputStream defaultText() {
    InputStream text = CalibrationData.class.getResourceAsStream(DEFAULT_TEXT);
    if (text == null) {
      throw new IllegalStateException("the jar lacks " + DEFAULT_TEXT);
    }
    return text;
  }

  /**
   * Opens a file.
   *
   * @param wholeText whether a plain text without separators is one record, not its paragraphs
   */
  static RecordSource open(Path file, boolean wholeText) {
    if (Files.isDirectory(file)) {
      throw new CheckpointException(
          file.toString(), "expected a file, found a folder", "Name one file of data.");
    }
    String name = file.getFileName() == null ? "" : file.getFileName().toString();
    String end = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    return switch (end) {
      case "jsonl", "ndjson", "json" -> new JsonLinesSource(file);
      case "txt", "text", "md" -> new PlainTextSource(file, wholeText);
      case "safetensors" -> new IdTensorSource(file);
      default ->
          throw new CheckpointException(
              file.toString(),
              "expected a name that ends in .jsonl, .ndjson, .json, .txt, .text, .md or"
                  + " .safetensors",
              switch (end) {
                case "parquet" ->
                    "Write it as JSON lines: datasets.load_dataset('parquet', data_files=FILE)"
                        + "['train'].to_json('data.jsonl').";
                case "gz", "zst", "xz", "bz2", "zip" -> "Unpack the file first.";
                default -> "Rename the file after what it holds.";
              });
    };
  }

  private static CalibrationSet read(
      String name,
      RecordSource source,
      TextEncoder encoder,
      int vocabulary,
      CalibrationOptions options,
      List<String> notes) {
    boolean tensor = source instanceof IdTensorSource;
    int samples =
        options
            .samples()
            .orElse(
                source instanceof IdTensorSource rows
                    ? rows.rows()
                    : CalibrationOptions.DEFAULT_SAMPLES);
    int length =
        options
            .sequenceLength()
            .orElse(
                source instanceof IdTensorSource rows
                    ? rows.columns()
                    : CalibrationOptions.DEFAULT_LENGTH);
    requireSpace(name, samples, length);
    Selection selection = new Selection(samples, length, options.packing(), options.seed());
    Records records = new Records(encoder, vocabulary);
    for (CalibrationRecord record = source.next(); record != null; record = source.next()) {
      if (selection.wantsNext()) {
        selection.add(records.ids(record));
      }
      if (selection.isComplete()) {
        break;
      }
    }
    List<int[]> chosen = selection.samples();
    if (chosen.isEmpty()) {
      throw new CheckpointException(
          name,
          "expected at least one record with a token, found "
              + (selection.seen() == 0 ? "no record" : selection.seen() + " without any"),
          "Give a file that holds text, conversations or token ids.");
    }
    if (selection.empty() > 0) {
      notes.add(name + ": " + selection.empty() + " empty records were left out.");
    }
    if (chosen.size() < samples && (options.samples().isPresent() || !tensor)) {
      notes.add(
          name
              + ": "
              + samples
              + " samples were asked for, and the data gives "
              + chosen.size()
              + ".");
    }
    return new CalibrationSet(chosen, notes);
  }

  private static void requireSpace(String name, int samples, int length) {
    if ((long) samples * length > CalibrationOptions.MAX_TOKENS) {
      throw new CheckpointException(
          name,
          "expected at most "
              + CalibrationOptions.MAX_TOKENS
              + " tokens, found "
              + samples
              + " samples of up to "
              + length,
          "Ask for fewer samples, or shorter ones.");
    }
  }
}
