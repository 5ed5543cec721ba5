package dev.quern.formats.layout;

import java.util.List;

/** A module that a kernel's layout has no place for; the message says what is needed. */
public final class LayoutException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * @param expected what the layout needs
   * @param found what the module is
   */
  public LayoutException(String expected, String found) {
    super("expected " + expected + ", found " + found);
  }

  /** That none of several layouts takes a module, each with its reason. */
  public LayoutException(List<String> reasons) {
    super(String.join("; ", reasons));
  }

  /** Refuses a module unless {@code holds}. */
  static void require(boolean holds, String expected, String found) {
    if (!holds) {
      throw new LayoutException(expected, found);
    }
  }
}
