package dev.quern.pipeline;

import dev.quern.formats.CheckpointException;

/**
 * What went wrong, for a person: where, what was expected and found, and what to do. The {@link
 * Kind} tells who can mend it.
 */
public final class QuernException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Who can mend it. */
  public enum Kind {
    /**
     * The request itself: an unknown scheme, a pattern that matches nothing, a budget that is too
     * small.
     */
    REQUEST,
    /** The checkpoint that was to be read. */
    INPUT,
    /** The place that was to be written: it exists, it is full, it may not be written. */
    OUTPUT,
    /** What was written does not hold what it should. */
    VERIFICATION
  }

  private final Kind kind;

  QuernException(Kind kind, String where, String problem, String remedy) {
    this(kind, new CheckpointException(where, problem, remedy));
  }

  QuernException(Kind kind, CheckpointException cause) {
    super(cause.getMessage(), cause);
    this.kind = kind;
  }

  /** Who can mend it. */
  public Kind kind() {
    return kind;
  }
}
