package dev.quern.pipeline;

import java.nio.file.Path;
import java.util.Objects;

/**
 * What to unpack, and with which means.
 *
 * @param packed folder or archive that {@code quern pack} made
 * @param output folder to make
 * @param threads worker threads; the output does not depend on it
 * @param memoryBytes the most that work in flight may occupy
 * @param overwrite whether a checkpoint at {@code output} is replaced
 */
public record UnpackOptions(
    Path packed, Path output, int threads, long memoryBytes, boolean overwrite) {
  /** Checks the numbers. */
  public UnpackOptions {
    Objects.requireNonNull(packed);
    Objects.requireNonNull(output);
    CompressionOptions.requireThreads(threads);
    CompressionOptions.requireMemory(memoryBytes);
  }

  /** Defaults for everything but these two: all processors, 512 MB. */
  public static UnpackOptions of(Path packed, Path output) {
    return new UnpackOptions(
        packed,
        output,
        Runtime.getRuntime().availableProcessors(),
        CompressionOptions.DEFAULT_MEMORY,
        false);
  }
}
