package dev.quern.pipeline;

import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What {@link Quern#verify} found.
 *
 * @param model the checkpoint that was looked at
 * @param tensors number of its tensors
 * @param quantizedModules number of modules with compressed weights
 * @param problems what is wrong, a sentence each, with its place
 * @param errors errors against the source by kind of layer; empty when no source was given
 */
public record VerificationReport(
    Path model,
    int tensors,
    int quantizedModules,
    List<String> problems,
    Map<String, ErrorStatistics> errors) {
  /** Copies list and map. */
  public VerificationReport {
    problems = List.copyOf(problems);
    errors = Collections.unmodifiableMap(new TreeMap<>(errors));
  }

  /** Whether nothing is wrong. */
  public boolean ok() {
    return problems.isEmpty();
  }

  /** The same as a JSON document, with a newline at the end. */
  public String toJson() {
    return ReportJson.of(this);
  }
}
