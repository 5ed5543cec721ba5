package dev.quern.pipeline;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 of bytes, in hex. */
final class Digests {
  private static final long PIECE = 1L << 26;

  private final MessageDigest digest;

  Digests() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every JVM has it
    }
  }

  /** Of a whole segment. */
  static String of(MemorySegment segment) {
    Digests digest = new Digests();
    digest.add(segment);
    return digest.hex();
  }

  /** Of a whole file. */
  static String of(Path file) throws IOException {
    Digests digest = new Digests();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 16);
      while (channel.read(buffer) >= 0) {
        digest.digest.update(buffer.flip());
        buffer.clear();
      }
    }
    return digest.hex();
  }

  void add(MemorySegment segment) {
    for (long at = 0; at < segment.byteSize(); at += PIECE) {
      long length = Math.min(PIECE, segment.byteSize() - at);
      digest.update(segment.asSlice(at, length).asByteBuffer());
    }
  }

  /** The digest; nothing can be added afterwards. */
  String hex() {
    return HexFormat.of().formatHex(digest.digest());
  }
}
