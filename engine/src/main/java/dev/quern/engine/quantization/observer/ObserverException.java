package dev.quern.engine.quantization.observer;

/** An observer, or a setting of one, that cannot be had. */
public final class ObserverException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  private final String key;
  private final String expected;
  private final String found;
  private final String remedy;

  ObserverException(String key, String expected, String found, String remedy) {
    super(key + ": expected " + expected + ", found " + found);
    this.key = key;
    this.expected = expected;
    this.found = found;
    this.remedy = remedy;
  }

  /** {@code observer}, or the name of the setting. */
  public String key() {
    return key;
  }

  /** What would be accepted. */
  public String expected() {
    return expected;
  }

  /** What was given. */
  public String found() {
    return found;
  }

  /** What to do; a sentence without its full stop. */
  public String remedy() {
    return remedy;
  }
}
