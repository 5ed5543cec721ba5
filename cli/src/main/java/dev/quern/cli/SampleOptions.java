package dev.quern.cli;

import dev.quern.pipeline.CompressionOptions;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Calibration data, for schemes and algorithms that look at what the model computes. */
final class SampleOptions {
  @Option(
      names = "--calibration",
      paramLabel = "FILE",
      description =
          "Texts, conversations or token ids (.jsonl, .txt, .safetensors) that the model is run on,"
              + " where a scheme or algorithm needs it. Default: a few pages that come with quern.")
  private Path file;

  @Option(
      names = "--samples",
      paramLabel = "N",
      description = "How many samples. Default: 512; all rows of a tensor.")
  private Integer samples;

  @Option(
      names = "--seq-len",
      paramLabel = "N",
      description = "The longest sample, in tokens. Default: 2048; whole rows of a tensor.")
  private Integer length;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Shuffles the records. Default: the first ones of the file.")
  private Long seed;

  @Option(
      names = "--no-propagate",
      description =
          "Calibrate each layer on what the source computes, in one pass, and not on what the"
              + " layers before it compute as they were stored.")
  private boolean single;

  CompressionOptions applyTo(CompressionOptions options) {
    CompressionOptions result = options.withPropagation(!single);
    result = file == null ? result : result.withCalibration(file);
    result = samples == null ? result : result.withSamples(samples);
    result = length == null ? result : result.withSequenceLength(length);
    return seed == null ? result : result.withSeed(seed);
  }
}
