package dev.quern.pipeline;

import dev.quern.engine.numeric.FloatType;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/**
 * What to decompress, and with which means.
 *
 * @param model folder of the quantized checkpoint
 * @param output folder to make
 * @param type type of the weights; empty for the one in config.json
 * @param threads worker threads, from 1 to 1024; the output does not depend on it
 * @param memoryBytes the most that work in flight may occupy, mapped files included; the JVM itself
 *     comes on top
 * @param maxShardBytes the most bytes of tensors in one output file
 * @param overwrite whether an existing checkpoint at {@code output} is replaced
 */
public record DecompressionOptions(
    Path model,
    Path output,
    Optional<FloatType> type,
    int threads,
    long memoryBytes,
    long maxShardBytes,
    boolean overwrite) {
  /** Checks the numbers. */
  public DecompressionOptions {
    Objects.requireNonNull(model);
    Objects.requireNonNull(output);
    Objects.requireNonNull(type);
    CompressionOptions.requireThreads(threads);
    CompressionOptions.requireMemory(memoryBytes);
    CompressionOptions.requireShard(maxShardBytes);
  }

  /** Defaults for everything but these two: the model's type, all processors, 512 MB, 5 GB. */
  public static DecompressionOptions of(Path model, Path output) {
    return new DecompressionOptions(
        model,
        output,
        Optional.empty(),
        Runtime.getRuntime().availableProcessors(),
        CompressionOptions.DEFAULT_MEMORY,
        CompressionOptions.DEFAULT_SHARD,
        false);
  }

  /**
   * The type that a user means; empty for none.
   *
   * @param name {@code bf16}, {@code f16} or {@code f32}, in any case, or null
   * @throws QuernException when it is another one
   */
  public static Optional<FloatType> typeNamed(String name) {
    if (name == null) {
      return Optional.empty();
    }
    for (FloatType type : FloatType.values()) {
      if (type.name().equalsIgnoreCase(name)) {
        return Optional.of(type);
      }
    }
    throw new QuernException(
        QuernException.Kind.REQUEST, "--dtype " + name, "unknown type", "Use bf16, f16 or f32.");
  }

  /** These options with a type of the weights. */
  public DecompressionOptions withType(FloatType type) {
    return new DecompressionOptions(
        model, output, Optional.of(type), threads, memoryBytes, maxShardBytes, overwrite);
  }

  /** These options with another number of threads. */
  public DecompressionOptions withThreads(int threads) {
    return new DecompressionOptions(
        model, output, type, threads, memoryBytes, maxShardBytes, overwrite);
  }

  /** These options with another memory budget. */
  public DecompressionOptions withMemoryBytes(long memoryBytes) {
    return new DecompressionOptions(
        model, output, type, threads, memoryBytes, maxShardBytes, overwrite);
  }

  /** These options with another size of shards. */
  public DecompressionOptions withMaxShardBytes(long maxShardBytes) {
    return new DecompressionOptions(
        model, output, type, threads, memoryBytes, maxShardBytes, overwrite);
  }

  /** These options with or without leave to replace an existing checkpoint. */
  public DecompressionOptions withOverwrite(boolean overwrite) {
    return new DecompressionOptions(
        model, output, type, threads, memoryBytes, maxShardBytes, overwrite);
  }
}
