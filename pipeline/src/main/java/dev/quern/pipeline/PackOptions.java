package dev.quern.pipeline;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.archive.ArchiveType;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/**
 * What to pack, and with which means.
 *
 * @param model folder of the compressed checkpoint
 * @param output folder to make; with an archive, the file beside it that has the archive's suffix
 * @param layout a layout's id, its name without the version, or a family such as {@code marlin}
 * @param archive empty for a folder
 * @param threads worker threads; the output does not depend on it
 * @param memoryBytes the most that work in flight may occupy
 * @param overwrite whether a packed checkpoint at {@code output} is replaced
 */
public record PackOptions(
    Path model,
    Path output,
    String layout,
    Optional<ArchiveType> archive,
    int threads,
    long memoryBytes,
    boolean overwrite) {
  /** Checks the numbers. */
  public PackOptions {
    Objects.requireNonNull(model);
    Objects.requireNonNull(output);
    Objects.requireNonNull(layout);
    Objects.requireNonNull(archive);
    CompressionOptions.requireThreads(threads);
    CompressionOptions.requireMemory(memoryBytes);
  }

  /** Defaults for everything but these three: a folder, all processors, 512 MB. */
  public static PackOptions of(Path model, Path output, String layout) {
    return new PackOptions(
        model,
        output,
        layout,
        Optional.empty(),
        Runtime.getRuntime().availableProcessors(),
        CompressionOptions.DEFAULT_MEMORY,
        false);
  }

  /** These options with an archive to write. */
  public PackOptions withArchive(ArchiveType archive) {
    return new PackOptions(
        model, output, layout, Optional.of(archive), threads, memoryBytes, overwrite);
  }

  /**
   * The same with the archive's name, {@code tar.zst} or {@code zip}.
   *
   * @throws QuernException when it is another one
   */
  public PackOptions withArchive(String name) {
    try {
      return withArchive(ArchiveType.named(name));
    } catch (CheckpointException e) {
      throw new QuernException(QuernException.Kind.REQUEST, e);
    }
  }

  /** These options with another number of threads. */
  public PackOptions withThreads(int threads) {
    return new PackOptions(model, output, layout, archive, threads, memoryBytes, overwrite);
  }

  /** These options with another memory budget. */
  public PackOptions withMemoryBytes(long memoryBytes) {
    return new PackOptions(model, output, layout, archive, threads, memoryBytes, overwrite);
  }

  /** These options with or without leave to replace an existing packed checkpoint. */
  public PackOptions withOverwrite(boolean overwrite) {
    return new PackOptions(model, output, layout, archive, threads, memoryBytes, overwrite);
  }
}
