package dev.quern.pipeline;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A lock file that its owner deletes at the end.
 *
 * <p>Deleting opens a gap: a second run may have opened the file before it was deleted and lock it
 * afterwards, when it has no name any more, while a third run makes and locks a new one. So whoever
 * has the lock writes a mark and looks whether the file of that name has it.
 */
final class OutputLock {
  private OutputLock() {}

  /**
   * The locked file, which is let go by closing it; null when another run has it.
   *
   * @throws IOException when the file cannot be made
   */
  static FileChannel take(Path file) throws IOException {
    while (true) {
      FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      try {
        if (!isLocked(channel)) {
          channel.close();
          return null;
        }
        if (isStillThere(file, channel)) {
          return channel;
        }
        channel.close();
      } catch (IOException | RuntimeException e) {
        channel.close();
        throw e;
      }
    }
  }

  private static boolean isLocked(FileChannel channel) throws IOException {
    try {
      return channel.tryLock() != null;
    } catch (OverlappingFileLockException e) {
      return false;
    }
  }

  /** Whether the file that was locked still has its name. */
  static boolean isStillThere(Path file, FileChannel locked) throws IOException {
    String mark =
        ProcessHandle.current().pid() + " " + System.nanoTime() + " " + locked.hashCode() + "\n";
    locked.truncate(0);
    locked.write(ByteBuffer.wrap(mark.getBytes(StandardCharsets.US_ASCII)), 0);
    try {
      return Files.readString(file, StandardCharsets.US_ASCII).equals(mark);
    } catch (NoSuchFileException e) {
      return false;
    }
  }
}
