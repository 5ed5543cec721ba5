package dev.quern.formats.safetensors;

import dev.quern.formats.CheckpointException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
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

  private SafetensorsFile(Path path, FileChannel channel, long fileBytes, HeaderReader header) {
    this.path = path;
    this.channel = channel;
    this.fileBytes = fileBytes;
    this.dataStart = header.dataStart();
    this.metadata = header.metadata();
    this.tensors = header.tensors();
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
      HeaderReader header =
          HeaderReader.read(
              path, fileBytes, (from, length) -> readFully(path, channel, from, length));
      return new SafetensorsFile(path, channel, fileBytes, header);
    } catch (IOException e) {
      throw unreadable(path, e);
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

  private static byte[] readFully(Path path, FileChannel channel, long from, int length)
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
    return buffer.array();
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
