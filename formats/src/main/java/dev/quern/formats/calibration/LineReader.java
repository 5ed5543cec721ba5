package dev.quern.formats.calibration;

import dev.quern.formats.CheckpointException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Lines of a file as bytes, one at a time, without their ends; a byte-order mark is left out. */
final class LineReader implements AutoCloseable {
  /** The longest line that is read, in bytes. */
  static final int MAX_LINE = 1 << 24;

  private final String name;
  private final InputStream in;
  private final byte[] buffer = new byte[1 << 16];
  private int at;
  private int end;
  private long line;

  LineReader(Path file) {
    this(file.toString(), open(file));
  }

  LineReader(String name, InputStream in) {
    this.name = name;
    this.in = in;
  }

  private static InputStream open(Path file) {
    try {
      return Files.newInputStream(file);
    } catch (NoSuchFileException e) {
      throw new CheckpointException(
          file.toString(), "no such file", "Check the path of the calibration data.", e);
    } catch (IOException e) {
      throw unreadable(file.toString(), e);
    }
  }

  static CheckpointException unreadable(String name, IOException e) {
    return new CheckpointException(
        name, "cannot be read (" + e + ")", "Check that it is a readable file.", e);
  }

  /** The file, and the line that {@link #next} gave last. */
  String where() {
    return name + ", line " + line;
  }

  long line() {
    return line;
  }

  /** The next line, or null at the end. */
  byte[] next() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    boolean any = false;
    line++;
    while (true) {
      if (at == end && !fill()) {
        return any ? finished(bytes) : null;
      }
      any = true;
      int stop = at;
      while (stop < end && buffer[stop] != '\n') {
        stop++;
      }
      bytes.write(buffer, at, stop - at);
      if (bytes.size() > MAX_LINE) {
        throw new CheckpointException(
            where(),
            "expected lines of at most " + MAX_LINE + " bytes, found a longer one",
            "Check that the file is text with one record a line, and split long records.");
      }
      boolean ended = stop < end;
      at = ended ? stop + 1 : stop;
      if (ended) {
        return finished(bytes);
      }
    }
  }

  private boolean fill() {
    try {
      at = 0;
      end = Math.max(0, in.read(buffer));
      return end > 0;
    } catch (IOException e) {
      throw unreadable(name, e);
    }
  }

  private byte[] finished(ByteArrayOutputStream bytes) {
    byte[] all = bytes.toByteArray();
    int from = line == 1 && startsWithMark(all) ? 3 : 0;
    int to = all.length > from && all[all.length - 1] == '\r' ? all.length - 1 : all.length;
    return from == 0 && to == all.length ? all : java.util.Arrays.copyOfRange(all, from, to);
  }

  private static boolean startsWithMark(byte[] bytes) {
    return bytes.length >= 3
        && bytes[0] == (byte) 0xef
        && bytes[1] == (byte) 0xbb
        && bytes[2] == (byte) 0xbf;
  }

  @Override
  public void close() {
    try {
      in.close();
    } catch (IOException e) {
      throw unreadable(name, e);
    }
  }
}
