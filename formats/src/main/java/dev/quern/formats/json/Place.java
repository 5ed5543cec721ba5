package dev.quern.formats.json;

/**
 * Where in a document a value stands. A chain and not a text, because a hostile document can nest
 * long names so that the texts of all places together are far larger than the document.
 *
 * @param parent the enclosing value, or null for the document
 * @param step the document's name, {@code ": member"} or {@code "[index]"}
 */
record Place(Place parent, String step) {
  private static final int LONGEST_STEP = 200;

  @Override
  public String toString() {
    String shown =
        step.length() > LONGEST_STEP && parent != null ? step.substring(0, LONGEST_STEP) : step;
    return parent == null ? shown : parent + shown;
  }
}
