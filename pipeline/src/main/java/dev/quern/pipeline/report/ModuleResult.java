package dev.quern.pipeline.report;

import java.util.List;
import java.util.OptionalInt;

/**
 * What became of one quantized matrix.
 *
 * @param name full name of the module
 * @param scheme name of its scheme
 * @param bytesBefore of the source's tensor
 * @param bytesAfter of what was written in its place
 * @param deviation of the weights that a reader gets
 * @param facts what a solver found, in the order of the table's columns; empty without one
 */
public record ModuleResult(
    String name,
    String scheme,
    long bytesBefore,
    long bytesAfter,
    Deviation deviation,
    List<Fact> facts) {
  /**
   * A figure with its name.
   *
   * @param name as a machine reads it, such as {@code layer_error}
   * @param value a finite number
   */
  public record Fact(String name, double value) {}

  /** Copies the list. */
  public ModuleResult {
    facts = List.copyOf(facts);
  }

  /** Number of the decoder layer: the first part of the name that is a number. */
  public OptionalInt layer() {
    for (String part : name.split("\\.")) {
      if (!part.isEmpty() && part.length() < 9 && part.chars().allMatch(Character::isDigit)) {
        return OptionalInt.of(Integer.parseInt(part));
      }
    }
    return OptionalInt.empty();
  }

  /** Kind of the module: the name's last part, after {@code experts.} or {@code shared_expert.}. */
  public String kind() {
    String[] parts = name.split("\\.");
    String last = parts[parts.length - 1];
    for (String part : parts) {
      if (part.equals("experts") || part.startsWith("shared_expert")) {
        return part + "." + last;
      }
    }
    return last;
  }
}
