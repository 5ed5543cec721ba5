package dev.quern.testdata;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/**
 * A copy of a folder in which each {@code NAME.gz} is {@code NAME}, unpacked. It is made when a
 * test first asks, and mended when the folder has changed since: a copy has its original's time.
 * Several test runs may ask at once.
 */
final class UnpackedGolden {
  private static final String PACKED = ".gz";
  private static Path made;

  private UnpackedGolden() {}

  /**
   * The copy's folder, up to date.
   *
   * @param folder the folder that is kept
   * @param target where the copy is to be
   */
  static synchronized Path of(Path folder, Path target) {
    if (made == null) {
      try {
        Files.createDirectories(target);
        try (FileChannel lock =
                FileChannel.open(
                    target.resolveSibling("unpacked.lock"),
                    StandardOpenOption.CREATE,
                    StandardOpenOption.WRITE);
            FileLock held = lock.lock()) {
          assert held.isValid();
          refresh(folder, target);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      made = target;
    }
    return made;
  }

  private static void refresh(Path folder, Path target) throws IOException {
    Set<Path> wanted = new HashSet<>();
    for (Path original : files(folder)) {
      Path relative = folder.relativize(original);
      String name = relative.getFileName().toString();
      boolean packed = name.endsWith(PACKED);
      String copyName = packed ? name.substring(0, name.length() - PACKED.length()) : name;
      Path copy = target.resolve(relative).resolveSibling(copyName);
      wanted.add(copy);
      if (!Files.exists(copy)
          || !Files.getLastModifiedTime(copy).equals(Files.getLastModifiedTime(original))) {
        copy(original, packed, copy);
      }
    }
    for (Path copy : files(target)) {
      if (!wanted.contains(copy)) {
        Files.delete(copy);
      }
    }
    // A test may list folders, too: none may stay that has lost its files.
    for (Path copy : folders(target)) {
      if (!Files.exists(folder.resolve(target.relativize(copy)))) {
        Files.delete(copy);
      }
    }
  }

  private static void copy(Path original, boolean packed, Path copy) throws IOException {
    Files.createDirectories(copy.getParent());
    Path partial = copy.resolveSibling(copy.getFileName() + ".partial");
    try (InputStream file = Files.newInputStream(original);
        InputStream in = packed ? new GZIPInputStream(file, 1 << 16) : file) {
      Files.copy(in, partial, StandardCopyOption.REPLACE_EXISTING);
    }
    Files.setLastModifiedTime(partial, Files.getLastModifiedTime(original));
    Files.move(partial, copy, StandardCopyOption.REPLACE_EXISTING);
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> walk = Files.walk(folder)) {
      return walk.filter(Files::isRegularFile).toList();
    }
  }

  /** The deepest first. */
  private static List<Path> folders(Path folder) throws IOException {
    try (Stream<Path> walk = Files.walk(folder)) {
      return walk.filter(Files::isDirectory).toList().reversed();
    }
  }
}
