package dev.quern.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Everything below a folder: relative path to kind and content. Equal before and after means that
 * nothing was made, changed, renamed or removed, hidden files included.
 */
final class FolderState {
  /** Larger files are sparse ones that tests make to look large; their size has to do. */
  private static final long READ_AT_MOST = 16 << 20;

  private FolderState() {}

  static Map<String, String> of(Path root) throws IOException {
    Map<String, String> state = new TreeMap<>();
    try (Stream<Path> paths = Files.walk(root)) {
      for (Path path : (Iterable<Path>) paths::iterator) {
        state.put(root.relativize(path).toString(), content(path));
      }
    }
    return state;
  }

  private static String content(Path path) throws IOException {
    if (Files.isSymbolicLink(path)) {
      return "link to " + Files.readSymbolicLink(path);
    }
    if (Files.isDirectory(path)) {
      return "folder";
    }
    long size = Files.size(path);
    return size > READ_AT_MOST
        ? size + " bytes"
        : size + " bytes, hash " + Arrays.hashCode(Files.readAllBytes(path));
  }
}
