package dev.quern.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Lines of columns, each as wide as its widest cell. Numbers are set right: columns whose heading
 * begins with a space.
 */
final class TextTable {
  private final List<String[]> rows = new ArrayList<>();

  TextTable(String... headings) {
    rows.add(headings);
  }

  TextTable row(String... cells) {
    String[] clean = cells.clone();
    Arrays.setAll(clean, c -> printable(cells[c]));
    rows.add(clean);
    return this;
  }

  /** Names come from files: none of them gets to move the cursor or to begin a line. */
  static String printable(String text) {
    return text.chars().noneMatch(Character::isISOControl)
        ? text
        : text.codePoints()
            .map(c -> Character.isISOControl(c) ? '?' : c)
            .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
            .toString();
  }

  @Override
  public String toString() {
    int columns = rows.get(0).length;
    int[] widths = new int[columns];
    for (String[] row : rows) {
      for (int c = 0; c < columns; c++) {
        widths[c] = Math.max(widths[c], row[c].strip().length());
      }
    }
    StringBuilder out = new StringBuilder();
    for (String[] row : rows) {
      StringBuilder line = new StringBuilder();
      for (int c = 0; c < columns; c++) {
        String cell = row[c].strip();
        String padding = " ".repeat(widths[c] - cell.length());
        boolean right = rows.get(0)[c].startsWith(" ");
        line.append(right ? padding + cell : cell + padding).append("  ");
      }
      out.append(line.toString().stripTrailing()).append('\n');
    }
    return out.toString();
  }
}
