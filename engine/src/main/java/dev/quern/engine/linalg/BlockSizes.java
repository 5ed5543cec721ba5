package dev.quern.engine.linalg;

/**
 * How matrices are cut; see docs/linear-algebra.md for why. No size changes a bit of any result.
 */
final class BlockSizes {
  /**
   * Depth of the panels that one tile multiplies. A left panel of it lies in the first cache, and a
   * block of right ones in the second.
   */
  static final int DEPTH = 256;

  /**
   * Columns of the block that a task computes, about: its right panels fill half a second cache.
   */
  static final int COLUMNS = 480;

  /** Rows of the block that a task computes, about. */
  static final int ROWS = 256;

  /** Below so many blocks, smaller ones are made, so that several threads have something to do. */
  static final int TASKS = 16;

  /** Depth that is packed at once: fewer passes over the result, and fewer waits for threads. */
  static final int PACKED_DEPTH = 1024;

  /** Floats of each operand that are packed at once. */
  static final long PACKED_FLOATS = Workspace.MAX_PACKED_BYTES / 2 / Float.BYTES;

  /** Rows that are factored, or solved for, before the rest is updated with them. */
  static final int FACTOR = 256;

  /** The same for smaller matrices, where the rows themselves cost more. */
  static final int SMALL_FACTOR = 64;

  private BlockSizes() {}

  /** The block of a triangular algorithm on a matrix of so many rows. */
  static int factor(int n) {
    return n >= 2048 ? FACTOR : n > 512 ? FACTOR / 2 : SMALL_FACTOR;
  }

  /** The bounds of part {@code i} of {@code parts} equal ones, whole units each but the last. */
  static int bound(int size, int unit, int parts, int i) {
    long units = Math.ceilDiv(size, unit);
    return (int) Math.min(size, units * i / parts * unit);
  }
}
