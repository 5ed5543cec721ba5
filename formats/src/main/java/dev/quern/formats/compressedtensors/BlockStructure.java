package dev.quern.formats.compressedtensors;

/**
 * Size of one tile of the {@code block} strategy.
 *
 * @param rows output rows, from 1 to 2^20
 * @param columns input columns, from 1 to 2^20
 */
public record BlockStructure(int rows, int columns) {
  /** No matrix has use for more, and the product of two sides is far from overflowing. */
  private static final int LARGEST = 1 << 20;

  /**
   * @throws dev.quern.formats.CheckpointException when a side is below 1 or above 2^20
   */
  public BlockStructure {
    if (Math.min(rows, columns) < 1 || Math.max(rows, columns) > LARGEST) {
      throw ConfigErrors.invalid(
          "block_structure",
          "expected two sizes from 1 to " + LARGEST + ", found [" + rows + ", " + columns + "]",
          "Write for example [128, 128]");
    }
  }

  /** Reads {@code "128x128"}. */
  static BlockStructure parse(String where, String text) {
    String[] sides = text.strip().toLowerCase(java.util.Locale.ROOT).split("x", -1);
    try {
      if (sides.length == 2) {
        return new BlockStructure(
            Integer.parseInt(sides[0].strip()), Integer.parseInt(sides[1].strip()));
      }
    } catch (NumberFormatException notNumbers) {
      // Falls through to the message, which shows the whole text.
    }
    throw ConfigErrors.invalid(
        where,
        "expected ROWSxCOLUMNS, found \"" + text + "\"",
        "Write for example \"128x128\" or [128, 128]");
  }
}
