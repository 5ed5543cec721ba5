package dev.quern.formats.jinja;

/** Python's {@code None}. */
enum None {
  NONE
}
