package dev.quern.testdata;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Writes safetensors bytes from a header's raw text, right or wrong, so that tests can make the
 * files that no proper writer makes.
 */
public final class RawSafetensors {
  private RawSafetensors() {}

  /** The bytes of a file: the true length of the header, the header as it is, then the data. */
  public static byte[] bytes(String header, byte[] data) {
    return bytes(header.getBytes(StandardCharsets.UTF_8), data);
  }

  /** As the other method, for headers that are no text. */
  public static byte[] bytes(byte[] header, byte[] data) {
    return bytes(header.length, header, data);
  }

  /** The bytes of a file whose header's length is a claim. */
  public static byte[] bytes(long claimedLength, byte[] header, byte[] data) {
    return ByteBuffer.allocate(8 + header.length + data.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(claimedLength)
        .put(header)
        .put(data)
        .array();
  }

  /**
   * Writes {@link #bytes(String, byte[])} with {@code dataBytes} zeros of data; returns the file.
   */
  public static Path write(Path file, String header, int dataBytes) {
    return write(file, bytes(header, new byte[dataBytes]));
  }

  /** Writes a file; returns it. */
  public static Path write(Path file, byte[] bytes) {
    try {
      return Files.write(file, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
