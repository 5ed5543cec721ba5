package dev.quern.formats.safetensors;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.JsonWriter;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Writes one safetensors file: first the header, then pieces of tensors in any order, from any
 * thread.
 *
 * <p>{@link #close} succeeds only when every byte of every tensor was written exactly once. A file
 * that does not get there is deleted, because its gaps would read as zero weights.
 */
public final class SafetensorsWriter implements AutoCloseable {
  // A direct buffer goes to the kernel as it is; a heap buffer is first copied to one of its own
  // size.
  private static final long NATIVE_CHUNK = 64L << 20;
  private static final long HEAP_CHUNK = 1L << 20;

  private final Path path;
  private final FileChannel channel;
  private final SafetensorsLayout layout;
  private final Map<String, WriteLedger> ledgers = new HashMap<>();
  private final AtomicLong writtenBytes = new AtomicLong();
  private volatile boolean closed;

  private SafetensorsWriter(Path path, FileChannel channel, SafetensorsLayout layout) {
    this.path = path;
    this.channel = channel;
    this.layout = layout;
    layout.tensors().forEach(tensor -> ledgers.put(tensor.name(), new WriteLedger(tensor)));
  }

  /**
   * Creates a file that does not exist yet and writes its header.
   *
   * @param tensors all tensors the file will hold, in any order
   * @param metadata free texts for the header, such as {@code format=pt}; may be empty
   * @throws CheckpointException when the file exists or cannot be written
   */
  public static SafetensorsWriter create(
      Path path, Collection<TensorSpec> tensors, SortedMap<String, String> metadata) {
    return create(path, SafetensorsLayout.of(tensors, metadata));
  }

  /** As the other method, from a layout that was made before. */
  public static SafetensorsWriter create(Path path, SafetensorsLayout layout) {
    FileChannel channel;
    try {
      channel = FileChannel.open(path, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
    } catch (FileAlreadyExistsException e) {
      throw new CheckpointException(
          path.toString(), "the file exists already", "Choose another output or remove it.", e);
    } catch (IOException e) {
      throw unwritable(path, e);
    }
    SafetensorsWriter writer = new SafetensorsWriter(path, channel, layout);
    try {
      writer.writeFully(ByteBuffer.wrap(layout.header()), 0);
      return writer;
    } catch (Throwable e) {
      writer.abort();
      throw e;
    }
  }

  /** Where the file's bytes are. */
  public SafetensorsLayout layout() {
    return layout;
  }

  /** The file being written. */
  public Path path() {
    return path;
  }

  /**
   * Writes a piece of a tensor. Native and mapped segments go to the system without a copy.
   *
   * @param tensor its name
   * @param offsetInTensor where the piece starts, in bytes from the start of the tensor
   * @param bytes the piece, all of it
   * @throws IllegalArgumentException when the file has no such tensor
   * @throws IndexOutOfBoundsException when the piece does not fit the tensor
   * @throws IllegalStateException when part of it was written before, or the writer is closed
   * @throws CheckpointException when the system cannot write it, a full disk for example; the file
   *     cannot be completed then
   */
  public void write(String tensor, long offsetInTensor, MemorySegment bytes) {
    WriteLedger ledger = ledgers.get(tensor);
    if (ledger == null) {
      throw new IllegalArgumentException(
          "no tensor " + JsonWriter.quote(tensor) + " in the layout of " + path);
    }
    TensorInfo info = ledger.tensor();
    Objects.checkFromIndexSize(offsetInTensor, bytes.byteSize(), info.bytes());
    if (closed) {
      throw new IllegalStateException(path + " is closed");
    }
    ledger.claim(offsetInTensor, offsetInTensor + bytes.byteSize());
    long position = layout.headerBytes() + info.begin() + offsetInTensor;
    long chunk = bytes.isNative() ? NATIVE_CHUNK : HEAP_CHUNK;
    for (long done = 0; done < bytes.byteSize(); done += chunk) {
      long size = Math.min(chunk, bytes.byteSize() - done);
      writeFully(bytes.asSlice(done, size).asByteBuffer(), position + done);
      // Counted after the fact: a claimed piece whose write failed leaves the file incomplete.
      writtenBytes.addAndGet(size);
    }
  }

  /** Makes the system put everything written so far on the disk. */
  public void force() {
    try {
      channel.force(true);
    } catch (IOException e) {
      throw unwritable(path, e);
    }
  }

  /** Gives up: closes and deletes the file. Does nothing after {@link #close} or a second time. */
  public void abort() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      channel.close();
      Files.deleteIfExists(path);
    } catch (IOException e) {
      throw new CheckpointException(
          path.toString(),
          "the unfinished file cannot be removed (" + e + ")",
          "Remove it by hand; it must not be used.",
          e);
    }
  }

  /**
   * Completes the file. Does nothing after {@link #abort} or a second time.
   *
   * @throws IllegalStateException when a byte of a tensor was not written; the file is deleted then
   * @throws CheckpointException when the system reports a late write error
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    String missing = missing();
    if (missing != null) {
      abort();
      throw new IllegalStateException(path + " is incomplete and was removed: " + missing);
    }
    closed = true;
    try {
      channel.close();
    } catch (IOException e) {
      throw unwritable(path, e);
    }
  }

  private String missing() {
    for (TensorInfo tensor : layout.tensors()) {
      long first = ledgers.get(tensor.name()).firstMissing();
      if (first != tensor.bytes()) {
        return "tensor "
            + JsonWriter.quote(tensor.name())
            + ": byte "
            + first
            + " of "
            + tensor.bytes()
            + " was never written";
      }
    }
    long unwritten = layout.fileBytes() - layout.headerBytes() - writtenBytes.get();
    return unwritten == 0 ? null : unwritten + " bytes failed or are still being written";
  }

  private void writeFully(ByteBuffer bytes, long position) {
    try {
      long at = position;
      while (bytes.hasRemaining()) {
        at += channel.write(bytes, at);
      }
    } catch (IOException e) {
      throw unwritable(path, e);
    }
  }

  private static CheckpointException unwritable(Path path, IOException e) {
    return new CheckpointException(
        path.toString(),
        "cannot be written (" + e + ")",
        "Check permissions and free space of the output's disk.",
        e);
  }
}
