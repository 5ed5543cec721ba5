package dev.quern.formats.huggingface;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.JsonWriter;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/** The folder itself: which paths are in it, and where its symbolic links may lead. */
final class ModelFolder {
  /** Tools' own folders; what is in them is not part of the model. */
  private static final Set<String> TOOL_FOLDERS = Set.of(".git", ".cache");

  private final Path path;
  private final Path linksMayReach;

  private ModelFolder(Path path, Path linksMayReach) {
    this.path = path;
    this.linksMayReach = linksMayReach;
  }

  static ModelFolder open(Path path) {
    if (!Files.exists(path)) {
      throw new CheckpointException(
          path.toString(),
          "no such folder",
          "Give the path of a model folder with config.json in it.");
    }
    if (!Files.isDirectory(path)) {
      throw new CheckpointException(
          path.toString(),
          "expected a model folder, found a file",
          "Give the folder that holds config.json and the .safetensors files.");
    }
    if (!Files.isReadable(path) || !Files.isExecutable(path)) {
      throw new CheckpointException(
          path.toString(), "the folder cannot be read", "Check its permissions.");
    }
    try {
      Path real = path.toRealPath();
      return new ModelFolder(path, hubCacheRoot(real));
    } catch (IOException e) {
      throw unreadable(path, e);
    }
  }

  /**
   * {@code .../models--OWNER--NAME} when the folder is {@code .../snapshots/REVISION} below it,
   * else the folder.
   */
  private static Path hubCacheRoot(Path real) {
    Path snapshots = real.getParent();
    Path model = snapshots == null ? null : snapshots.getParent();
    boolean isSnapshot =
        model != null
            && model.getFileName() != null
            && snapshots.getFileName().toString().equals("snapshots")
            && model.getFileName().toString().startsWith("models--");
    return isSnapshot ? model : real;
  }

  Path path() {
    return path;
  }

  /** True when a file of this plain name stands in the folder. */
  boolean has(String name) {
    return Files.exists(path.resolve(name), LinkOption.NOFOLLOW_LINKS);
  }

  /** The file of this plain name, its link checked. */
  Path file(String name) {
    Path file = path.resolve(name);
    if (Files.isSymbolicLink(file)) {
      requireInside(file);
    }
    return file;
  }

  /**
   * All files below the folder, sorted, as paths relative to it. Links to files are followed after
   * a check; links to folders are not, so there are no cycles; they and all that is no file end up
   * in {@code leftOut}.
   */
  List<String> walk(List<LeftOutFile> leftOut) {
    List<String> files = new ArrayList<>();
    walk(path, "", files, leftOut);
    files.sort(Comparator.naturalOrder());
    return files;
  }

  private void walk(Path folder, String prefix, List<String> files, List<LeftOutFile> leftOut) {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
      for (Path entry : entries) {
        String relative = prefix + entry.getFileName();
        if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
          if (TOOL_FOLDERS.contains(entry.getFileName().toString())) {
            leftOut.add(
                new LeftOutFile(relative + "/", "a tool's own folder, not part of the model"));
          } else {
            walk(entry, relative + "/", files, leftOut);
          }
          continue;
        }
        if (Files.isSymbolicLink(entry)) {
          requireInside(entry);
        }
        if (Files.isRegularFile(entry)) {
          files.add(relative);
        } else {
          boolean folderLink = Files.isDirectory(entry);
          leftOut.add(
              new LeftOutFile(
                  relative,
                  folderLink
                      ? "a link to a folder; only the folder itself is copied"
                      : "neither a file nor a folder"));
        }
      }
    } catch (IOException e) {
      throw unreadable(folder, e);
    } catch (DirectoryIteratorException e) {
      throw unreadable(folder, e.getCause());
    }
  }

  private void requireInside(Path link) {
    Path target;
    try {
      target = link.toRealPath();
    } catch (NoSuchFileException e) {
      throw new CheckpointException(
          link.toString(),
          "a symbolic link to a file that does not exist",
          "Fetch the model again, or remove the link.",
          e);
    } catch (FileSystemLoopException e) {
      throw cycle(link, e);
    } catch (IOException e) {
      // The JDK reports a cycle of links as a plain FileSystemException with the system's text.
      throw cycle(link, e);
    }
    if (!target.startsWith(linksMayReach)) {
      throw new CheckpointException(
          link.toString(),
          "a symbolic link leads out of the model's folder, to "
              + JsonWriter.quote(target.toString()),
          "Replace the link by the file it stands for if you trust it, or remove it.");
    }
  }

  private static CheckpointException cycle(Path link, IOException e) {
    return new CheckpointException(
        link.toString(),
        "a symbolic link that cannot be followed (" + e.getMessage() + ")",
        "Remove the link; links that lead to each other have no end.",
        e);
  }

  private static CheckpointException unreadable(Path folder, IOException e) {
    return new CheckpointException(
        folder.toString(), "the folder cannot be read (" + e + ")", "Check its permissions.", e);
  }
}
