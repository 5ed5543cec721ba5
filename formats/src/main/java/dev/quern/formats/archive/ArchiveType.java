package dev.quern.formats.archive;

import dev.quern.formats.CheckpointException;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/** Kinds of archives. */
public enum ArchiveType {
  /** tar, compressed by Zstandard. */
  TAR_ZST("tar.zst"),
  /** zip, entries deflated. */
  ZIP("zip");

  private final String suffix;

  ArchiveType(String suffix) {
    this.suffix = suffix;
  }

  /** What stands behind the last dot of such a file's name; its name in options, too. */
  public String suffix() {
    return suffix;
  }

  /** The kind of a file of this name, or empty. */
  public static Optional<ArchiveType> ofFile(String fileName) {
    return Arrays.stream(values()).filter(t -> fileName.endsWith("." + t.suffix)).findFirst();
  }

  /**
   * The kind that a user names.
   *
   * @throws CheckpointException when there is none of that name
   */
  public static ArchiveType named(String name) {
    return Arrays.stream(values())
        .filter(type -> type.suffix.equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new CheckpointException(
                    "--archive " + name,
                    "unknown kind of archive",
                    "Use "
                        + Arrays.stream(values())
                            .map(ArchiveType::suffix)
                            .collect(Collectors.joining(" or "))
                        + "."));
  }
}
