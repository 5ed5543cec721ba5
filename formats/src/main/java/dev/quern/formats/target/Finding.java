package dev.quern.formats.target;

import java.util.Objects;

/**
 * One thing that an engine will not like.
 *
 * @param severity how bad it is
 * @param module the module that shows it, or the fused one that the engine makes of several
 * @param problem what the engine expects and what it finds
 * @param remedy what to do about it, a sentence
 */
public record Finding(Severity severity, String module, String problem, String remedy) {
  /** How bad it is. */
  public enum Severity {
    /** It does not load, or fails when it runs. */
    REFUSED,
    /** It runs, but not as it was meant to: slower, or with other numbers. */
    DEGRADED
  }

  /** Requires all parts. */
  public Finding {
    Objects.requireNonNull(severity);
    Objects.requireNonNull(module);
    Objects.requireNonNull(problem);
    Objects.requireNonNull(remedy);
  }

  static Finding refused(String module, String problem, String remedy) {
    return new Finding(Severity.REFUSED, module, problem, remedy);
  }

  static Finding degraded(String module, String problem, String remedy) {
    return new Finding(Severity.DEGRADED, module, problem, remedy);
  }
}
