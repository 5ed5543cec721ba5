package dev.quern.formats.safetensors;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.Utf8Text;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.SortedMap;

/**
 * Reads and checks the start of a file, step by step; {@link #read} is the list. It sees bytes and
 * not a channel, so that a test can try hundreds of thousands of damaged headers without a disk.
 *
 * <p>It accepts nothing that the reference implementation refuses. It refuses four things more:
 * whitespace before the opening brace (the format's own text forbids it), a tensor name that stands
 * twice (the reference keeps the last and ignores the first), an entry written as a list instead of
 * an object, and a number of 2^63 or more.
 *
 * @param dataStart where tensor data starts in the file
 * @param metadata the free texts
 * @param tensors the tensors in the order of their bytes
 */
record HeaderReader(long dataStart, SortedMap<String, String> metadata, List<TensorInfo> tensors) {

  /** Gives exactly {@code length} bytes from byte {@code from}. */
  @FunctionalInterface
  interface Source {
    byte[] read(long from, int length) throws IOException;
  }

  static HeaderReader read(Path path, long fileBytes, Source source) throws IOException {
    longEnoughForPrefix(path, fileBytes);
    long headerBytes =
        ByteBuffer.wrap(source.read(0, Header.PREFIX_BYTES))
            .order(ByteOrder.LITTLE_ENDIAN)
            .getLong();
    headerUnderCap(path, headerBytes);
    headerWithinFile(path, headerBytes, fileBytes);
    byte[] header = source.read(Header.PREFIX_BYTES, (int) headerBytes);
    startsWithBrace(path, header);
    Utf8Text text =
        Utf8Text.decode(header, path + ", header", Header.PREFIX_BYTES, HeaderParser.REMEDY);
    HeaderParser parsed = HeaderParser.parse(path, text);
    long dataStart = Header.PREFIX_BYTES + headerBytes;
    List<TensorInfo> tensors = HeaderChecks.run(path, parsed, fileBytes - dataStart);
    return new HeaderReader(dataStart, parsed.metadata(), tensors);
  }

  private static void longEnoughForPrefix(Path path, long fileBytes) {
    if (fileBytes < Header.PREFIX_BYTES) {
      throw new CheckpointException(
          path.toString(),
          "expected at least 8 bytes for the header's length, found a file of " + fileBytes,
          "The file is empty or cut off; fetch it again.");
    }
  }

  private static void headerUnderCap(Path path, long headerBytes) {
    if (headerBytes < 0 || headerBytes > Header.MAX_BYTES) {
      throw new CheckpointException(
          path + ", byte 0",
          "header length is "
              + Long.toUnsignedString(headerBytes)
              + "; expected at most "
              + Header.MAX_BYTES,
          HeaderParser.REMEDY);
    }
  }

  private static void headerWithinFile(Path path, long headerBytes, long fileBytes) {
    if (headerBytes > fileBytes - Header.PREFIX_BYTES) {
      throw new CheckpointException(
          path + ", byte 0",
          "header length is "
              + headerBytes
              + ", but only "
              + (fileBytes - Header.PREFIX_BYTES)
              + " bytes follow",
          "The file is cut off or is not safetensors; fetch it again.");
    }
  }

  private static void startsWithBrace(Path path, byte[] header) {
    if (header.length == 0 || header[0] != '{') {
      throw new CheckpointException(
          path + ", byte " + Header.PREFIX_BYTES,
          "expected the header to start with '{', found "
              + (header.length == 0
                  ? "an empty header"
                  : "byte 0x" + HexFormat.of().toHexDigits(header[0])),
          HeaderParser.REMEDY);
    }
  }
}
