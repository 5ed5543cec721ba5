package dev.quern.formats.calibration;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.Utf8Text;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.function.Supplier;

/**
 * Plain text, UTF-8. Where the file has {@code <|endoftext|>} anywhere, that is what parts its
 * documents; otherwise empty lines part its paragraphs, unless it is to be one document. Each is a
 * record. A first pass looks which it is.
 */
final class PlainTextSource implements RecordSource {
  static final String SEPARATOR = "<|endoftext|>";

  private static final String REMEDY = "Save the file as UTF-8.";

  private final String name;
  private final LineReader lines;
  private final boolean whole;
  private final boolean bySeparator;
  private final StringBuilder text = new StringBuilder();
  private final ArrayDeque<CalibrationRecord> ready = new ArrayDeque<>();
  private long begun = 1;

  PlainTextSource(Path file, boolean whole) {
    this(file.toString(), whole, () -> new LineReader(file));
  }

  PlainTextSource(String name, Supplier<? extends InputStream> open) {
    this(name, false, () -> new LineReader(name, open.get()));
  }

  private PlainTextSource(String name, boolean whole, Supplier<LineReader> open) {
    this.name = name;
    this.whole = whole;
    boolean found = false;
    try (LineReader first = open.get()) {
      for (byte[] line = first.next(); line != null && !found; line = first.next()) {
        found = decode(line, first.where()).contains(SEPARATOR);
      }
    }
    bySeparator = found;
    lines = open.get();
  }

  private static String decode(byte[] line, String where) {
    Utf8Text text = Utf8Text.decode(line, where, 0, REMEDY);
    return new String(text.chars(), 0, text.length());
  }

  @Override
  public CalibrationRecord next() {
    while (ready.isEmpty()) {
      byte[] bytes = lines.next();
      if (bytes == null) {
        finish();
        return ready.poll();
      }
      String line = decode(bytes, lines.where());
      if (bySeparator) {
        String[] parts = line.split(java.util.regex.Pattern.quote(SEPARATOR), -1);
        append(parts[0]);
        for (int i = 1; i < parts.length; i++) {
          finish();
          append(parts[i]);
        }
      } else if (line.isBlank() && !whole) {
        finish();
      } else {
        append(line);
      }
    }
    return ready.poll();
  }

  private void append(String line) {
    if (text.isEmpty()) {
      begun = lines.line();
      if (line.isEmpty()) {
        return;
      }
    }
    text.append(line).append('\n');
    if (text.length() > LineReader.MAX_LINE) {
      throw new CheckpointException(
          where(),
          "expected "
              + (bySeparator || whole ? "documents" : "paragraphs")
              + " of at most "
              + LineReader.MAX_LINE
              + " characters, found a longer one",
          "Part the text by " + (whole ? "" : "empty lines or by ") + SEPARATOR + ".");
    }
  }

  private String where() {
    return name + ", line " + begun;
  }

  /** The text so far is a record, unless it is empty; white space at its ends is not part of it. */
  private void finish() {
    String record = text.toString().strip();
    text.setLength(0);
    if (!record.isEmpty()) {
      ready.add(new CalibrationRecord.Text(where(), record));
    }
  }

  @Override
  public void close() {
    lines.close();
  }
}
