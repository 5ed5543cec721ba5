package dev.quern.formats.target.selection;

import dev.quern.formats.CheckpointException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads a {@link Condition} by descending through its grammar. */
final class ConditionParser {
  private static final Pattern TOKEN =
      Pattern.compile("\\s*(!=|<=|>=|[=<>&|!()%,]|-?[0-9]+(?![A-Za-z0-9_.-])|[A-Za-z0-9_.+-]+)");

  private final String where;
  private final String text;
  private final List<String> tokens = new ArrayList<>();
  private final Set<String> names = new LinkedHashSet<>();
  private int at;

  ConditionParser(String where, String text) {
    this.where = where;
    this.text = text;
    Matcher matcher = TOKEN.matcher(text);
    int end = 0;
    while (matcher.lookingAt()) {
      tokens.add(matcher.group(1));
      end = matcher.end();
      matcher.region(end, text.length());
    }
    if (!text.substring(end).isBlank()) {
      throw wrong("expected a word, a number or an operator, found " + text.substring(end).strip());
    }
  }

  Condition parse() {
    Condition.Test test = any();
    if (at < tokens.size()) {
      throw wrong("expected the end, found " + tokens.get(at));
    }
    return new Condition(text, names, test);
  }

  private Condition.Test any() {
    Condition.Test left = all();
    while (takes("|")) {
      Condition.Test first = left;
      Condition.Test second = all();
      left = facts -> first.holds(facts) || second.holds(facts);
    }
    return left;
  }

  private Condition.Test all() {
    Condition.Test left = one();
    while (takes("&")) {
      Condition.Test first = left;
      Condition.Test second = one();
      left = facts -> first.holds(facts) && second.holds(facts);
    }
    return left;
  }

  private Condition.Test one() {
    if (takes("!")) {
      Condition.Test test = one();
      return facts -> !test.holds(facts);
    }
    if (takes("(")) {
      Condition.Test test = any();
      if (!takes(")")) {
        throw wrong("expected )");
      }
      return test;
    }
    return comparison();
  }

  private Condition.Test comparison() {
    String name = next();
    if (!Facts.isKnown(name)) {
      throw wrong("expected the name of a fact, found " + name);
    }
    names.add(name);
    Function<Facts, Object> left = facts -> facts.value(name);
    if (takes("%")) {
      Function<Facts, Object> whole = left;
      Function<Facts, Object> part = term();
      left = facts -> remainder(whole.apply(facts), part.apply(facts));
    }
    Function<Facts, Object> value = left;
    String operator = at < tokens.size() ? tokens.get(at) : "";
    switch (operator) {
      case "=", "!=", "<", "<=", ">", ">=" -> {
        at++;
        Function<Facts, Object> right = term();
        return facts -> compare(operator, value.apply(facts), right.apply(facts));
      }
      case "in" -> {
        at++;
        List<Function<Facts, Object>> terms = new ArrayList<>();
        do {
          terms.add(term());
        } while (takes(","));
        return facts -> terms.stream().anyMatch(t -> same(value.apply(facts), t.apply(facts)));
      }
      case "contains" -> {
        at++;
        String word = next();
        return facts -> value.apply(facts) instanceof Set<?> set && set.contains(word);
      }
      default -> {
        return facts -> same(value.apply(facts), "true");
      }
    }
  }

  private Function<Facts, Object> term() {
    String token = next();
    if (Facts.isKnown(token)) {
      names.add(token);
      return facts -> facts.value(token);
    }
    if (token.matches("-?[0-9]+")) {
      Long number = Long.valueOf(token);
      return _ -> number;
    }
    if (!token.matches("[A-Za-z0-9_.+-]+")) {
      throw wrong("expected a value, found " + token);
    }
    return _ -> token;
  }

  /** No remainder of what is no number, or of a division by nothing. */
  private static Object remainder(Object whole, Object part) {
    return whole instanceof Long a && part instanceof Long b && b != 0 ? a % b : Facts.NONE;
  }

  private static boolean same(Object a, Object b) {
    return String.valueOf(a).equals(String.valueOf(b));
  }

  private static boolean compare(String operator, Object a, Object b) {
    switch (operator) {
      case "=" -> {
        return same(a, b);
      }
      case "!=" -> {
        return !same(a, b);
      }
      default -> {
        if (!(a instanceof Long left && b instanceof Long right)) {
          return false;
        }
        return switch (operator) {
          case "<" -> left < right;
          case "<=" -> left <= right;
          case ">" -> left > right;
          default -> left >= right;
        };
      }
    }
  }

  private boolean takes(String token) {
    boolean is = at < tokens.size() && tokens.get(at).equals(token);
    at += is ? 1 : 0;
    return is;
  }

  private String next() {
    if (at == tokens.size()) {
      throw wrong("expected more");
    }
    return tokens.get(at++);
  }

  private CheckpointException wrong(String problem) {
    return new CheckpointException(
        where, problem + " in the condition \"" + text + "\"", "Correct the kernel table.");
  }
}
