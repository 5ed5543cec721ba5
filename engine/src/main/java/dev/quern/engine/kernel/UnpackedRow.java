package dev.quern.engine.kernel;

/** Where a packed row is unpacked before it is dequantized; each thread has its own. */
final class UnpackedRow {
  static final ThreadBuffer BUFFER = new ThreadBuffer();

  private UnpackedRow() {}
}
