package dev.quern.formats.calibration;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import java.nio.file.Path;

/** JSON lines: an object a line; empty lines are nothing. */
final class JsonLinesSource implements RecordSource {
  private final LineReader lines;

  JsonLinesSource(Path file) {
    lines = new LineReader(file);
  }

  @Override
  public CalibrationRecord next() {
    while (true) {
      byte[] line = lines.next();
      if (line == null) {
        return null;
      }
      if (isBlank(line)) {
        continue;
      }
      if (lines.line() == 1
          && new String(line, java.nio.charset.StandardCharsets.ISO_8859_1)
              .strip()
              .startsWith("[")) {
        throw notLines("the beginning of a list");
      }
      Json value = JsonReader.parse(line, lines.where());
      if (!(value instanceof Json.Obj row)) {
        throw notLines(value.kind());
      }
      return Columns.record(lines.where(), row);
    }
  }

  private CheckpointException notLines(String found) {
    return new CheckpointException(
        lines.where(),
        "expected a JSON object, the whole of it on this line, found " + found,
        "Write JSON lines: one object a line, no list around them"
            + " (jq -c '.[]' in.json > out.jsonl).");
  }

  private static boolean isBlank(byte[] line) {
    for (byte b : line) {
      if (b != ' ' && b != '\t') {
        return false;
      }
    }
    return true;
  }

  @Override
  public void close() {
    lines.close();
  }
}
