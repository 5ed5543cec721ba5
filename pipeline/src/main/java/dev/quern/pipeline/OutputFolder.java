package dev.quern.pipeline;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.stream.Stream;

/**
 * The output while it is made: a hidden folder beside its place, which takes the place when it is
 * complete, and vanishes otherwise. A lock file beside it keeps two runs with the same output
 * apart.
 */
final class OutputFolder implements AutoCloseable {
  private final Path output;
  private final Path partial;
  private final Path lockFile;
  private final FileChannel lockChannel;
  private boolean published;

  private OutputFolder(Path output, Path partial, Path lockFile, FileChannel lockChannel) {
    this.output = output;
    this.partial = partial;
    this.lockFile = lockFile;
    this.lockChannel = lockChannel;
  }

  /**
   * Refuses an output that may not be made, without touching anything.
   *
   * @throws QuernException when it exists and may not be replaced, or is or holds the source
   */
  static void check(Path output, Path source, boolean overwrite) {
    try {
      Path absolute = place(output);
      if (absolute.getFileName() == null) {
        throw refused(output, "is a root folder", "Name a new folder.");
      }
      Path from = source.toRealPath();
      if (from.startsWith(absolute) || absolute.startsWith(from)) {
        throw refused(output, "lies in the source folder or around it", "Name a folder elsewhere.");
      }
      if (!Files.exists(absolute)) {
        if (Files.isSymbolicLink(absolute)) {
          throw refused(
              output, "is a symbolic link to nothing", "Remove the link, or name another folder.");
        }
        return;
      }
      if (!Files.isDirectory(absolute)) {
        throw refused(output, "is a file; a folder is to be made there", "Name another folder.");
      }
      if (!Files.getFileStore(absolute).equals(Files.getFileStore(absolute.getParent()))) {
        throw refused(
            output,
            "is where a file system is mounted, so a finished folder cannot take its place",
            "Name a folder inside it.");
      }
      boolean empty;
      try (Stream<Path> files = Files.list(absolute)) {
        empty = files.findAny().isEmpty();
      }
      if (!empty && !overwrite) {
        throw refused(
            output, "exists already and is not empty", "Name another folder, or give --overwrite.");
      }
      if (!empty
          && !Files.exists(absolute.resolve("config.json"))
          && !Files.exists(absolute.resolve(LayoutFile.NAME))) {
        throw refused(
            output,
            "exists and is not a checkpoint: there is no config.json in it",
            "Only checkpoints are overwritten; name another folder, or remove it yourself.");
      }
    } catch (IOException e) {
      throw failed(output, e);
    }
  }

  /** The absolute path without links, as far as it exists. */
  private static Path place(Path output) throws IOException {
    Path absolute = output.toAbsolutePath().normalize();
    Path existing = absolute;
    while (!Files.exists(existing)) {
      existing = existing.getParent();
    }
    return existing.toRealPath().resolve(existing.relativize(absolute));
  }

  /** Makes the hidden folder; what a killed run left there is removed. */
  static OutputFolder create(Path output) {
    Path lockFile = null;
    FileChannel channel = null;
    try {
      Path absolute = place(output);
      Path parent = absolute.getParent();
      String name = absolute.getFileName().toString();
      Path partial = parent.resolve("." + name + ".quern-partial");
      Files.createDirectories(parent);
      Path lock = parent.resolve("." + name + ".quern-lock");
      channel = OutputLock.take(lock);
      if (channel == null) {
        throw refused(
            output, "is being written by another run", "Wait for it, or name another folder.");
      }
      lockFile = lock;
      putBack(absolute);
      deleteTree(partial);
      Files.createDirectory(partial);
      return new OutputFolder(absolute, partial, lockFile, channel);
    } catch (IOException e) {
      giveUp(lockFile, channel, e);
      throw failed(output, e);
    } catch (QuernException e) {
      giveUp(lockFile, channel, e);
      throw e;
    }
  }

  private static void giveUp(Path lockFile, FileChannel channel, Exception reason) {
    try {
      if (lockFile != null) {
        Files.deleteIfExists(lockFile);
      }
      if (channel != null) {
        channel.close();
      }
    } catch (IOException e) {
      reason.addSuppressed(e);
    }
  }

  /** Where a calibration keeps its finished layers: beside the output, until that has its name. */
  Path journal() {
    return output.resolveSibling("." + output.getFileName() + ".quern-journal");
  }

  /** Where the files are made. */
  Path partial() {
    return partial;
  }

  /**
   * A run that was killed between its two renames left the name empty and the old checkpoint beside
   * it.
   */
  private static void putBack(Path output) throws IOException {
    Path old = old(output);
    if (Files.exists(old, LinkOption.NOFOLLOW_LINKS)
        && !Files.exists(output, LinkOption.NOFOLLOW_LINKS)) {
      Files.move(old, output, StandardCopyOption.ATOMIC_MOVE);
      throw refused(
          output,
          "an earlier run was killed while it replaced this checkpoint; the old one was put back",
          "Run again with --overwrite to replace it.");
    }
  }

  private static Path old(Path output) {
    return output.resolveSibling("." + output.getFileName() + ".quern-old");
  }

  /**
   * Makes the system put all files and their names on the disk: what is replaced is deleted
   * afterwards.
   */
  private void force() throws IOException {
    try (Stream<Path> files = Files.walk(partial)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
          channel.force(true);
        } catch (IOException e) {
          if (!Files.isDirectory(file)) { // some systems cannot force folders
            throw e;
          }
        }
      }
    }
  }

  /** Gives the folder its name; an existing checkpoint there is replaced. */
  void publish() {
    Path old = old(output);
    try {
      force();
      deleteTree(old);
      if (Files.exists(output)) {
        Files.move(output, old, StandardCopyOption.ATOMIC_MOVE);
      }
      try {
        Files.move(partial, output, StandardCopyOption.ATOMIC_MOVE);
      } catch (IOException e) {
        if (Files.exists(old)) {
          Files.move(old, output, StandardCopyOption.ATOMIC_MOVE);
        }
        throw e;
      }
      published = true;
      deleteTree(old);
    } catch (IOException e) {
      throw failed(output, e);
    }
  }

  /** Leaves in {@code folder} what is in {@code inner}, a folder in it, and nothing else. */
  static void replaceBy(Path folder, Path inner) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(f -> !f.equals(inner)).toList()) {
        deleteTree(file);
      }
    }
    try (Stream<Path> files = Files.list(inner)) {
      for (Path file : files.toList()) {
        Files.move(file, folder.resolve(inner.relativize(file)), StandardCopyOption.ATOMIC_MOVE);
      }
    }
    Files.delete(inner);
  }

  /** Removes whatever was not published. */
  @Override
  public void close() {
    try {
      if (!published) {
        deleteTree(partial);
      }
      Files.deleteIfExists(lockFile);
      lockChannel.close();
    } catch (IOException e) {
      throw failed(partial, e);
    }
  }

  private static void deleteTree(Path root) throws IOException {
    if (!Files.exists(root)) {
      return;
    }
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path folder, IOException e) throws IOException {
            if (e != null) {
              throw e;
            }
            Files.delete(folder);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  private static QuernException refused(Path output, String problem, String remedy) {
    return new QuernException(QuernException.Kind.OUTPUT, output.toString(), problem, remedy);
  }

  private static QuernException failed(Path path, IOException e) {
    return new QuernException(
        QuernException.Kind.OUTPUT,
        path.toString(),
        "cannot be written (" + e + ")",
        "Check that the folder exists and may be written, and that the disk has space.");
  }
}
