package dev.quern.cli;

import dev.quern.pipeline.CompressionOptions;
import java.nio.file.Path;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** From where to where, the same for every command that writes a checkpoint. */
final class OutputOptions {
  @Parameters(paramLabel = "MODEL", description = "Folder with config.json and *.safetensors.")
  private Path model;

  @Option(names = "--output", required = true, paramLabel = "DIR", description = "Folder to make.")
  private Path output;

  @Option(
      names = "--max-shard-size",
      paramLabel = "SIZE",
      converter = ByteSize.class,
      description = "The most bytes of tensors in one output file. Default: 5G.")
  private long maxShardSize = CompressionOptions.DEFAULT_SHARD;

  @Option(
      names = "--dry-run",
      description = "Print what would become of every tensor, and write nothing.")
  private boolean dryRun;

  @Option(names = "--overwrite", description = "Replace a checkpoint that is at DIR already.")
  private boolean overwrite;

  Path model() {
    return model;
  }

  Path output() {
    return output;
  }

  long maxShardSize() {
    return maxShardSize;
  }

  boolean dryRun() {
    return dryRun;
  }

  boolean overwrite() {
    return overwrite;
  }
}
