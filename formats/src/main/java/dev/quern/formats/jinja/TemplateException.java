package dev.quern.formats.jinja;

/** A template that cannot be read or rendered. */
public final class TemplateException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int line;
  private final boolean raisedByTemplate;

  TemplateException(int line, String problem) {
    this(line, problem, false);
  }

  TemplateException(int line, String problem, boolean raisedByTemplate) {
    super(problem);
    this.line = line;
    this.raisedByTemplate = raisedByTemplate;
  }

  /** The line of the template, from 1. */
  public int line() {
    return line;
  }

  /**
   * True when the template itself refused its input by {@code raise_exception}: the message is then
   * the template's own.
   */
  public boolean raisedByTemplate() {
    return raisedByTemplate;
  }
}
