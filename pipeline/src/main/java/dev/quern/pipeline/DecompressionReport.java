package dev.quern.pipeline;

import java.nio.file.Path;

/**
 * What a run did.
 *
 * @param output the folder that was made
 * @param plan what it followed
 * @param decompressNanos time of reading, decoding and writing
 * @param verifyNanos time of reading again and comparing, until everything was on the disk
 */
public record DecompressionReport(
    Path output, DecompressionPlan plan, long decompressNanos, long verifyNanos) {
  /** The same as a JSON document, with a newline at the end. */
  public String toJson() {
    return ReportJson.of(this);
  }
}
