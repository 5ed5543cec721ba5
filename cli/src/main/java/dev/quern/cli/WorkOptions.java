package dev.quern.cli;

import dev.quern.pipeline.CompressionOptions;
import picocli.CommandLine.Option;

/** Threads and memory, the same for every command that works on weights. */
final class WorkOptions {
  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Worker threads. Default: all processors. Results do not depend on it.")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      converter = ByteSize.class,
      description =
          "The most that work in flight may occupy, mapped files included. Default: 512M.")
  private long memory = CompressionOptions.DEFAULT_MEMORY;

  int threads() {
    return threads;
  }

  long memory() {
    return memory;
  }
}
