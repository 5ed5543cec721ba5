package dev.quern.pipeline;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * What to compress, how, and with which means.
 *
 * @param model folder of the source checkpoint
 * @param output folder to make
 * @param scheme name of a preset scheme, in any case
 * @param targets module names, {@code re:} patterns and classes to quantize
 * @param ignore module names, {@code re:} patterns and classes to leave as they are, beside {@code
 *     lm_head}
 * @param threads worker threads, from 1 to 1024; the output does not depend on it
 * @param memoryBytes the most that work in flight may occupy, mapped files included; the JVM itself
 *     comes on top
 * @param maxShardBytes the most bytes of tensors in one output file
 * @param overwrite whether an existing checkpoint at {@code output} is replaced
 */
public record CompressionOptions(
    Path model,
    Path output,
    String scheme,
    List<String> targets,
    List<String> ignore,
    int threads,
    long memoryBytes,
    long maxShardBytes,
    boolean overwrite) {
  /** The default of {@link #memoryBytes}: 512 MB. */
  public static final long DEFAULT_MEMORY = 512_000_000;

  /** The default of {@link #maxShardBytes}: 5 GB. */
  public static final long DEFAULT_SHARD = 5_000_000_000L;

  /** More would only take memory: no machine of today has as many processors. */
  private static final int MAX_THREADS = 1024;

  /** Copies the lists and checks the numbers. */
  public CompressionOptions {
    Objects.requireNonNull(model);
    Objects.requireNonNull(output);
    Objects.requireNonNull(scheme);
    targets = List.copyOf(targets);
    ignore = List.copyOf(ignore);
    require(
        threads >= 1 && threads <= MAX_THREADS, "--threads", threads, "from 1 to " + MAX_THREADS);
    require(memoryBytes >= 1_000_000, "--memory", memoryBytes, "at least 1 MB");
    require(maxShardBytes >= 1, "--max-shard-size", maxShardBytes, "at least 1 byte");
  }

  private static void require(boolean condition, String option, long found, String expected) {
    if (!condition) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          option,
          "expected " + expected + ", found " + found,
          "Give another value, or leave the option out.");
    }
  }

  /**
   * Defaults for everything but these three: all Linear modules, all processors, 512 MB, shards of
   * 5 GB.
   */
  public static CompressionOptions of(Path model, Path output, String scheme) {
    return new CompressionOptions(
        model,
        output,
        scheme,
        List.of("Linear"),
        List.of(),
        Runtime.getRuntime().availableProcessors(),
        DEFAULT_MEMORY,
        DEFAULT_SHARD,
        false);
  }

  /** These options with other targets. */
  public CompressionOptions withTargets(List<String> targets) {
    return new CompressionOptions(
        model, output, scheme, targets, ignore, threads, memoryBytes, maxShardBytes, overwrite);
  }

  /** These options with other modules to leave as they are. */
  public CompressionOptions withIgnore(List<String> ignore) {
    return new CompressionOptions(
        model, output, scheme, targets, ignore, threads, memoryBytes, maxShardBytes, overwrite);
  }

  /** These options with another number of threads. */
  public CompressionOptions withThreads(int threads) {
    return new CompressionOptions(
        model, output, scheme, targets, ignore, threads, memoryBytes, maxShardBytes, overwrite);
  }

  /** These options with another memory budget. */
  public CompressionOptions withMemoryBytes(long memoryBytes) {
    return new CompressionOptions(
        model, output, scheme, targets, ignore, threads, memoryBytes, maxShardBytes, overwrite);
  }

  /** These options with another size of shards. */
  public CompressionOptions withMaxShardBytes(long maxShardBytes) {
    return new CompressionOptions(
        model, output, scheme, targets, ignore, threads, memoryBytes, maxShardBytes, overwrite);
  }

  /** These options with or without leave to replace an existing checkpoint. */
  public CompressionOptions withOverwrite(boolean overwrite) {
    return new CompressionOptions(
        model, output, scheme, targets, ignore, threads, memoryBytes, maxShardBytes, overwrite);
  }
}
