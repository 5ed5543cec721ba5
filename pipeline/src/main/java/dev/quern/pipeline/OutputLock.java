package dev.quern.pipeline;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A lock file that its owner deletes at the end.
 *
 * <p>Deleting opens a gap: a second run may have opened the file before it was deleted and lock it
 * afterwards, when it has no name any more, while a third run makes and locks a new one. So whoever
 * has the lock writes a mark and looks whether the file of that name has it.
 */
final class OutputLock {
  private static final Map<Path, FileChannel> HELD = new HashMap<>();
  private static final AtomicLong MARKS = new AtomicLong();

  private OutputLock() {}

  /**
   * The locked file, which is let go by closing it; null when another run has it.
   *
   * @throws IOException when the file cannot be made
   */
  static FileChannel take(Path file) throws IOException {
    Path name = file.toAbsolutePath().normalize();
    synchronized (HELD) {
      HELD.values().removeIf(channel -> !channel.isOpen());
      // Opening and closing the file again would let go the lock that this process has on it.
      if (HELD.containsKey(name)) {
        return null;
      }
      FileChannel channel = lock(file);
      if (channel != null) {
        HELD.put(name, channel);
      }
      return channel;
    }
  }

  private static FileChannel lock(Path file) throws IOException {
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

  /**
   * Whether the file that was locked still has its name. The mark is the file's length, because
   * that can be asked for by name without opening the file: closing any descriptor of a file lets
   * go all locks that the process has on it (POSIX). It is at most one page: on a disk with little
   * space left, the error shall come from the file that does not fit.
   */
  static boolean isStillThere(Path file, FileChannel locked) throws IOException {
    long mark = ProcessHandle.current().pid() * 31 + MARKS.incrementAndGet() * 7919;
    int length = 1 + (int) (mark & 0xFFF);
    locked.truncate(0);
    ByteBuffer bytes = ByteBuffer.allocate(length);
    while (bytes.hasRemaining()) {
      locked.write(bytes, bytes.position());
    }
    try {
      return Files.size(file) == length;
    } catch (NoSuchFileException e) {
      return false;
    }
  }
}
