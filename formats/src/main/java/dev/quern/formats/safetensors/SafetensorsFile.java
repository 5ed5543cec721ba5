package dev.quern.formats.safetensors;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.Utf8Text;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;

/**
 * An open safetensors file, its header read and checked, its tensor data untouched until it is
 * asked for.
 *
 * <p>Safe for use by several threads. Interrupting a thread inside {@link #map} closes the file for
 * all of them: that is how {@link FileChannel} works.
 */
public final class SafetensorsFile implements AutoCloseable {
  private final Path path;
  private final FileChannel channel;
  private final long fileBytes;
  private final long dataStart;
  private final SortedMap<String, String> metadata;
  private final List<TensorInfo> tensors;
  private final Map<String, TensorInfo> byName;

  private SafetensorsFile(
      Path path,
      FileChannel channel,
      long fileBytes,
      long dataStart,
      SortedMap<String, String> metadata,
      List<TensorInfo> tensors) {
    this.path = path;
    this.channel = channel;
    this.fileBytes = fileBytes;
    this.dataStart = dataStart;
    this.metadata = metadata;
    this.tensors = tensors;
    this.byName = LinkedHashMap.newLinkedHashMap(tensors.size());
    tensors.forEach(tensor -> byName.put(tensor.name(), tensor));
  }

  /**
   * Opens a file and checks its header.
   *
   * @throws CheckpointException when the file is missing or unreadable, or fails a check
   */
  public static SafetensorsFile open(Path path) {
    FileChannel channel = openChannel(path);
    try {
      return read(path, channel);
    } catch (Throwable e) {
      closeAfter(e, channel);
      throw e;
    }
  }

  private static SafetensorsFile read(Path path, FileChannel channel) {
    try {
      long fileBytes = channel.size();
      longEnoughForPrefix(path, fileBytes);
      long headerBytes =
          readFully(path, channel, 0, Header.PREFIX_BYTES).order(ByteOrder.LITTLE_ENDIAN).getLong();
      headerUnderCap(path, headerBytes);
      headerWithinFile(path, headerBytes, fileBytes);
      byte[] header = readFully(path, channel, Header.PREFIX_BYTES, (int) headerBytes).array();
      startsWithBrace(path, header);
      Utf8Text text =
          Utf8Text.decode(header, path + ", header", Header.PREFIX_BYTES, HeaderParser.REMEDY);
      HeaderParser parsed = HeaderParser.parse(path, text);
      long dataStart = Header.PREFIX_BYTES + headerBytes;
      List<TensorInfo> tensors = HeaderChecks.run(path, parsed, fileBytes - dataStart);
      return new SafetensorsFile(path, channel, fileBytes, dataStart, parsed.metadata(), tensors);
    } catch (IOException e) {
      throw unreadable(path, e);
    }
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
              + (header.length == 0 ? "an empty header" : String.format("byte 0x%02x", header[0])),
          HeaderParser.REMEDY);
    }
  }

  private static FileChannel openChannel(Path path) {
    if (Files.exists(path) && !Files.isRegularFile(path)) {
      throw new CheckpointException(
          path.toString(),
          "expected a file, found " + (Files.isDirectory(path) ? "a folder" : "a special file"),
          "Give the path of a .safetensors file.");
    }
    try {
      return FileChannel.open(path, StandardOpenOption.READ);
    } catch (NoSuchFileException e) {
      throw new CheckpointException(
          path.toString(), "no such file", "Check the path and that the download is complete.", e);
    } catch (IOException e) {
      throw unreadable(path, e);
    }
  }

  private static ByteBuffer readFully(Path path, FileChannel channel, long from, int length)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, from + buffer.position()) < 0) {
        throw new CheckpointException(
            path.toString(),
            "the file became shorter while it was read",
            "Let nothing else write to the file, and start again.");
      }
    }
    return buffer.flip();
  }

  private static CheckpointException unreadable(Path path, IOException e) {
    return new CheckpointException(
        path.toString(), "cannot be read (" + e + ")", "Check permissions and the disk.", e);
  }

  private static void closeAfter(Throwable cause, FileChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
  }

  /** The path it was opened with. */
  public Path path() {
    return path;
  }

  /** Bytes of the whole file. */
  public long fileBytes() {
    return fileBytes;
  }

  /** The free texts of the header, sorted by name; often {@code format=pt} alone, or empty. */
  public SortedMap<String, String> metadata() {
    return metadata;
  }

  /** All tensors in the order of their bytes. */
  public List<TensorInfo> tensors() {
    return tensors;
  }

  /** The tensor of this name. */
  public Optional<TensorInfo> find(String name) {
    return Optional.ofNullable(byName.get(name));
  }

  /**
   * Maps a part of a tensor, read-only. Resident memory grows with what is touched and shrinks when
   * the arena closes, so map windows, not tensors.
   *
   * @param tensor a tensor of this file
   * @param offset first byte, counted from the start of the tensor; any alignment
   * @param length number of bytes; 0 gives an empty segment
   * @param arena decides how long the window lives and which threads may use it
   * @throws IndexOutOfBoundsException when the window is not inside the tensor
   * @throws CheckpointException when the file has changed its size since it was opened. (A file
   *     that is cut while a window is in use makes the JVM throw an {@link InternalError} at the
   *     access.)
   */
  public MemorySegment map(TensorInfo tensor, long offset, long length, Arena arena) {
    if (!tensor.equals(byName.get(tensor.name()))) {
      throw new IllegalArgumentException(tensor + " is not a tensor of " + path);
    }
    Objects.checkFromIndexSize(offset, length, tensor.bytes());
    try {
      if (channel.size() != fileBytes) {
        throw new CheckpointException(
            path.toString(),
            "the file had "
                + fileBytes
                + " bytes when it was opened, and has "
                + channel.size()
                + " now",
            "Let nothing else write to the file, and start again.");
      }
      return channel.map(MapMode.READ_ONLY, dataStart + tensor.begin() + offset, length, arena);
    } catch (IOException e) {
      throw new CheckpointException(
          path + ", tensor " + tensor.name(),
          "bytes " + offset + " to " + (offset + length) + " cannot be mapped (" + e + ")",
          "Check the disk and the limit on mapped memory (vm.max_map_count).",
          e);
    }
  }

  /** Closes the file; windows live as long as their arenas. */
  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw unreadable(path, e);
    }
  }
}
