package dev.quern.engine.model;

/** Checks of descriptions, with messages that say where, what was expected and what was found. */
final class Checks {
  private Checks() {}

  static void require(boolean holds, String where, String what, String expected, Object found) {
    if (!holds) {
      throw new IllegalArgumentException(
          where + ": " + what + " must be " + expected + ", and it is " + found);
    }
  }
}
