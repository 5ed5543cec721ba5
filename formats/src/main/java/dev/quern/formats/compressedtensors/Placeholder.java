package dev.quern.formats.compressedtensors;

/** Keeps the package non-empty until its classes arrive; to be deleted with the merge. */
final class Placeholder {
  private Placeholder() {}
}
