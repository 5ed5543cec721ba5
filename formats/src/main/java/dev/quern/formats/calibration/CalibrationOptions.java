package dev.quern.formats.calibration;

import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * How much of a file becomes samples, and which part.
 *
 * @param samples how many; empty for {@value #DEFAULT_SAMPLES}, or for all rows of an id tensor
 * @param sequenceLength the longest sample, in tokens; empty for {@value #DEFAULT_LENGTH}, or for
 *     whole rows of an id tensor
 * @param seed shuffles the records; empty takes them in the order of the file
 * @param packing joins records to samples of exactly {@code sequenceLength}; otherwise each record
 *     is a sample, cut at that length
 */
public record CalibrationOptions(
    OptionalInt samples, OptionalInt sequenceLength, OptionalLong seed, boolean packing) {
  /** What llm-compressor takes when it is not told. */
  public static final int DEFAULT_SAMPLES = 512;

  /** What most recipes of llm-compressor take. */
  public static final int DEFAULT_LENGTH = 2048;

  /** The most tokens that a set may have: what fits a heap that holds little else. */
  public static final long MAX_TOKENS = 1L << 25;

  public CalibrationOptions {
    requirePositive(samples, "samples");
    requirePositive(sequenceLength, "sequence length");
  }

  private static void requirePositive(OptionalInt value, String name) {
    if (value.isPresent() && value.getAsInt() < 1) {
      throw new IllegalArgumentException(
          "expected a number of " + name + " of at least 1, found " + value.getAsInt());
    }
  }

  /** What holds when nothing is said: the first records of the file, each cut, none joined. */
  public static CalibrationOptions defaults() {
    return new CalibrationOptions(
        OptionalInt.empty(), OptionalInt.empty(), OptionalLong.empty(), false);
  }

  /** These options with a number of samples. */
  public CalibrationOptions withSamples(int count) {
    return new CalibrationOptions(OptionalInt.of(count), sequenceLength, seed, packing);
  }

  /** These options with a length. */
  public CalibrationOptions withSequenceLength(int tokens) {
    return new CalibrationOptions(samples, OptionalInt.of(tokens), seed, packing);
  }

  /** These options with a seed. */
  public CalibrationOptions withSeed(long value) {
    return new CalibrationOptions(samples, sequenceLength, OptionalLong.of(value), packing);
  }

  /** These options with or without packing. */
  public CalibrationOptions withPacking(boolean on) {
    return new CalibrationOptions(samples, sequenceLength, seed, on);
  }
}
