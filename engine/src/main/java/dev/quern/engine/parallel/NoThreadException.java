package dev.quern.engine.parallel;

/** The system starts no thread: too many are running, or there is no memory for a stack. */
public final class NoThreadException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  NoThreadException(Throwable cause) {
    super("the system starts no thread (" + cause.getMessage() + ")", cause);
  }
}
