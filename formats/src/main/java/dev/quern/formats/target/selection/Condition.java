package dev.quern.formats.target.selection;

import dev.quern.formats.CheckpointException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A condition on the facts of a layer and its target, written as one line: {@code capability = 90 &
 * k % 64 = 0 & groupSize in -1, 64, 128}.
 *
 * <pre>
 * any        all { "|" all }
 * all        one { "&amp;" one }
 * one        "!" one | "(" any ")" | fact | fact [ "%" term ] op term
 *            | fact "in" term { "," term } | fact "contains" term
 * op         "=" "!=" "&lt;" "&lt;=" "&gt;" "&gt;="
 * </pre>
 *
 * <p>A term is a number, a word, or the name of a fact, which then stands for its value. A fact
 * that a target does not have equals the word {@code none} and is neither less nor more than any
 * number. A fact alone holds when it is {@code true}.
 */
final class Condition {
  /** What the grammar's sentences do. */
  interface Test {
    boolean holds(Facts facts);
  }

  private final String text;
  private final Set<String> names;
  private final Test test;

  Condition(String text, Set<String> names, Test test) {
    this.text = text;
    this.names = new LinkedHashSet<>(names);
    this.test = test;
  }

  /**
   * @param where place in the table, for messages
   * @throws CheckpointException when it is no sentence of the grammar or names an unknown fact
   */
  static Condition parse(String where, String text) {
    return new ConditionParser(where, text).parse();
  }

  /** Holds when all of some conditions hold. */
  static List<Condition> parseAll(String where, List<String> texts) {
    return texts.stream().map(text -> parse(where, text)).toList();
  }

  boolean holds(Facts facts) {
    return test.holds(facts);
  }

  /** Names of the facts that it asks for. */
  Set<String> names() {
    return names;
  }

  /** What it asks, and what was found: {@code k % 64 = 0 (k is 100)}. */
  String explain(Facts facts) {
    String found =
        names.stream()
            .map(name -> name + " is " + facts.text(name))
            .collect(Collectors.joining(", "));
    return found.isEmpty() ? text : text + " (" + found + ")";
  }

  @Override
  public String toString() {
    return text;
  }
}
