package dev.quern.formats.compressedtensors;

/**
 * Size of one tile of the {@code block} strategy.
 *
 * @param rows output rows, at least 1
 * @param columns input columns, at least 1
 */
public record BlockStructure(int rows, int columns) {
  /**
   * @throws dev.quern.formats.CheckpointException when a side is below 1
   */
  public BlockStructure {
    if (rows < 1 || columns < 1) {
      throw ConfigErrors.invalid(
          "block_structure",
          "expected two sizes of at least 1, found [" + rows + ", " + columns + "]",
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
