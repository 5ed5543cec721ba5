package dev.quern.formats;

import java.util.Objects;

/**
 * A checkpoint, a configuration or an output folder that Quern refuses.
 *
 * <p>The message has three parts, so that a reader knows where to look and what to do: the place
 * (file, tensor, byte), what is wrong there (what was expected, what was found), and the remedy.
 */
public final class CheckpointException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String where;
  private final String problem;
  private final String remedy;

  /**
   * @param where file, tensor and byte offset as far as they are known
   * @param problem what was expected and what was found
   * @param remedy what the user can do next, a sentence of its own
   */
  public CheckpointException(String where, String problem, String remedy) {
    this(where, problem, remedy, null);
  }

  /** As the other constructor, with the exception that led here. */
  public CheckpointException(String where, String problem, String remedy, Throwable cause) {
    super(where + ": " + problem + ". " + remedy, cause);
    this.where = Objects.requireNonNull(where);
    this.problem = Objects.requireNonNull(problem);
    this.remedy = Objects.requireNonNull(remedy);
  }

  /** The place: file, tensor, byte offset. */
  public String where() {
    return where;
  }

  /** What is wrong there. */
  public String problem() {
    return problem;
  }

  /** What to do next. */
  public String remedy() {
    return remedy;
  }
}
