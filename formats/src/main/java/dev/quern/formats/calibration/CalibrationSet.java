package dev.quern.formats.calibration;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * The samples that a model is run on: token ids, each sample with its own length and no padding.
 * Immutable.
 */
public final class CalibrationSet {
  private final int[][] samples;
  private final long tokens;
  private final int longest;
  private final List<String> notes;

  CalibrationSet(List<int[]> samples, List<String> notes) {
    this.samples = samples.toArray(int[][]::new);
    this.notes = List.copyOf(notes);
    long sum = 0;
    int most = 0;
    for (int[] sample : this.samples) {
      sum += sample.length;
      most = Math.max(most, sample.length);
    }
    this.tokens = sum;
    this.longest = most;
  }

  /** Number of samples, at least 1. */
  public int size() {
    return samples.length;
  }

  /** Number of tokens of one sample, at least 1. */
  public int length(int sample) {
    return samples[sample].length;
  }

  /** A copy of one sample's ids. */
  public int[] ids(int sample) {
    return samples[sample].clone();
  }

  /** Number of tokens of all samples. */
  public long tokens() {
    return tokens;
  }

  /** Number of tokens of the longest sample. */
  public int longest() {
    return longest;
  }

  /** What the user should know: fewer samples than asked for, records left out, texts of ours. */
  public List<String> notes() {
    return notes;
  }

  /** SHA-256 of all lengths and ids, in hex: equal for equal samples in equal order. */
  public String digest() {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
    for (int[] sample : samples) {
      ByteBuffer bytes =
          ByteBuffer.allocate(4 * (sample.length + 1)).order(ByteOrder.LITTLE_ENDIAN);
      bytes.putInt(sample.length);
      for (int id : sample) {
        bytes.putInt(id);
      }
      digest.update(bytes.array());
    }
    return HexFormat.of().formatHex(digest.digest());
  }
}
