package dev.quern.pipeline.calibration;

import dev.quern.engine.memory.NativeMemory;
import dev.quern.formats.safetensors.TensorSpec;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;

/**
 * One file of a {@link Journal}: what a layer gave, in the order in which it did.
 *
 * <pre>
 *   u64 magic                                        numbers are big-endian
 *   'T' u16 length, name (UTF-8), u64 bytes, bytes   a tensor
 *   'X' u16 length, key, u16 length, text            a line of text: reports and warnings
 *   'E' u64 CRC-32C of all before it                 the end
 * </pre>
 */
final class LayerRecord implements AutoCloseable {
  /** Takes lines of text again. */
  @FunctionalInterface
  interface Texts {
    void take(String key, String text);
  }

  private static final long MAGIC = 0x517565726E4A0001L; // "QuernJ", version 1
  private static final int BUFFER = 1 << 16;

  private final CRC32C sum = new CRC32C();
  private final DataOutputStream out;

  private LayerRecord(OutputStream file) throws IOException {
    out =
        new DataOutputStream(new CheckedOutputStream(new BufferedOutputStream(file, BUFFER), sum));
    out.writeLong(MAGIC);
  }

  /** Begins a file, replacing one that is there. */
  static LayerRecord create(Path file) throws IOException {
    OutputStream stream = Files.newOutputStream(file);
    try {
      return new LayerRecord(stream);
    } catch (IOException e) {
      stream.close();
      throw e;
    }
  }

  /** A record that nobody will read. */
  static LayerRecord forgotten() throws IOException {
    return new LayerRecord(OutputStream.nullOutputStream());
  }

  /** Adds a tensor. */
  void add(TensorSpec tensor, MemorySegment bytes) throws IOException {
    out.writeByte('T');
    out.writeUTF(tensor.name());
    out.writeLong(bytes.byteSize());
    byte[] buffer = new byte[(int) Math.min(BUFFER, bytes.byteSize())];
    for (long done = 0; done < bytes.byteSize(); done += buffer.length) {
      int size = (int) Math.min(buffer.length, bytes.byteSize() - done);
      MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, done, buffer, 0, size);
      out.write(buffer, 0, size);
    }
  }

  /** Adds a line of text. */
  void add(String key, String text) throws IOException {
    out.writeByte('X');
    out.writeUTF(key);
    out.writeUTF(text);
  }

  /** Ends the file; it is closed and whole, though not forced to the disk. */
  void complete() throws IOException {
    out.writeByte('E');
    out.writeLong(sum.getValue());
    out.close();
  }

  @Override
  public void close() throws IOException {
    out.close();
  }

  /** Whether a file is there, whole and unharmed. */
  static boolean isSound(Path file) {
    try {
      replay(file, Map.of(), (_, _) -> {}, (_, _) -> {}, false);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Hands on what a file holds.
   *
   * @param outputs tensors by name
   * @throws IOException when it cannot be read, is damaged, or holds a tensor that is not among
   *     them
   */
  static void replay(Path file, Map<String, TensorSpec> outputs, Sink sink, Texts texts)
      throws IOException {
    replay(file, outputs, sink, texts, true);
  }

  private static void replay(
      Path file, Map<String, TensorSpec> outputs, Sink sink, Texts texts, boolean takes)
      throws IOException {
    CRC32C sum = new CRC32C();
    try (InputStream stream = new BufferedInputStream(Files.newInputStream(file), BUFFER);
        DataInputStream in = new DataInputStream(new CheckedInputStream(stream, sum))) {
      if (in.readLong() != MAGIC) {
        throw damaged(file, "does not begin as a record does");
      }
      while (true) {
        switch (in.readUnsignedByte()) {
          case 'T' -> {
            String name = in.readUTF();
            long size = in.readLong();
            TensorSpec tensor = outputs.get(name);
            if (takes && (tensor == null || tensor.bytes() != size)) {
              throw damaged(file, name + " of " + size + " bytes is not among the outputs");
            }
            if (takes) {
              try (Arena arena = Arena.ofConfined()) {
                MemorySegment bytes = NativeMemory.allocate(arena, size);
                read(in, bytes);
                sink.write(tensor, bytes);
              }
            } else {
              in.skipNBytes(size);
            }
          }
          case 'X' -> texts.take(in.readUTF(), in.readUTF());
          case 'E' -> {
            long expected = sum.getValue();
            if (in.readLong() != expected || in.read() >= 0) {
              throw damaged(file, "its checksum is another one");
            }
            return;
          }
          default -> throw damaged(file, "holds an entry of no known kind");
        }
      }
    }
  }

  private static void read(DataInputStream in, MemorySegment target) throws IOException {
    byte[] buffer = new byte[(int) Math.min(BUFFER, target.byteSize())];
    for (long done = 0; done < target.byteSize(); done += buffer.length) {
      int size = (int) Math.min(buffer.length, target.byteSize() - done);
      in.readFully(buffer, 0, size);
      MemorySegment.copy(buffer, 0, target, ValueLayout.JAVA_BYTE, done, size);
    }
  }

  private static IOException damaged(Path file, String problem) {
    return new IOException(file + ": " + problem);
  }
}
