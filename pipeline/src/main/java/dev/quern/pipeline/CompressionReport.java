package dev.quern.pipeline;

import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a run did.
 *
 * @param output the folder that was made
 * @param plan what it followed
 * @param errors errors by kind of layer, such as {@code q_proj}
 * @param compressNanos time of reading, computing and writing
 * @param verifyNanos time of reading again and comparing, until everything was on the disk
 */
public record CompressionReport(
    Path output,
    CompressionPlan plan,
    Map<String, ErrorStatistics> errors,
    long compressNanos,
    long verifyNanos) {
  /** Copies the map, sorted. */
  public CompressionReport {
    errors = Collections.unmodifiableMap(new TreeMap<>(errors));
  }

  /** Source bytes over output bytes. */
  public double ratio() {
    return (double) plan.bytesBefore() / Math.max(1, plan.bytesAfter());
  }

  /** The same as a JSON document, with a newline at the end. */
  public String toJson() {
    return ReportJson.of(this);
  }
}
