package dev.quern.formats.target.selection;

import java.util.List;
import java.util.Map;

/**
 * Something to know of a layer on a target, beside which kernel runs it.
 *
 * @param code a word that machines may look for
 * @param severity how bad it is
 * @param says what happens
 * @param fix what to do about it; may be empty
 * @param args arguments of the engine that avoid it
 * @param environment environment variables that avoid it
 */
public record Hazard(
    String code,
    Severity severity,
    String says,
    String fix,
    List<String> args,
    Map<String, String> environment) {
  /** How bad it is. */
  public enum Severity {
    /** It loads, and fails when it runs, or its results are wrong. */
    FATAL,
    /** Results differ from what was measured or meant. */
    ACCURACY,
    /** Slower, or larger, than it could be. */
    PERFORMANCE,
    /** Good to know. */
    INFO
  }

  /** Copies the collections. */
  public Hazard {
    args = List.copyOf(args);
    environment = Map.copyOf(environment);
  }
}
