package dev.quern.formats.jinja;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiPredicate;
import java.util.function.Predicate;

/** What stands behind {@code is}. */
final class ValueTests {
  private static final Map<String, Predicate<Object>> OF_ONE =
      Map.ofEntries(
          Map.entry("defined", value -> !(value instanceof Undefined)),
          Map.entry("undefined", value -> value instanceof Undefined),
          Map.entry("none", value -> value == None.NONE),
          Map.entry("boolean", value -> value instanceof Boolean),
          Map.entry("true", value -> value.equals(true)),
          Map.entry("false", value -> value.equals(false)),
          Map.entry("string", value -> value instanceof String),
          Map.entry("number", value -> Values.number(value) != null),
          Map.entry("integer", value -> value instanceof Long),
          Map.entry("float", value -> value instanceof Double),
          Map.entry("mapping", value -> value instanceof Map),
          Map.entry("sequence", ValueTests::isIterable),
          Map.entry("iterable", value -> isIterable(value) || value instanceof Undefined),
          Map.entry("callable", value -> value instanceof Callable),
          Map.entry(
              "lower",
              value -> value instanceof String text && text.equals(text.toLowerCase(Locale.ROOT))),
          Map.entry(
              "upper",
              value -> value instanceof String text && text.equals(text.toUpperCase(Locale.ROOT))),
          Map.entry("odd", value -> value instanceof Long number && number % 2 != 0),
          Map.entry("even", value -> value instanceof Long number && number % 2 == 0));

  private static final Map<String, String> COMPARISONS =
      Map.ofEntries(
          Map.entry("==", "=="),
          Map.entry("eq", "=="),
          Map.entry("equalto", "=="),
          Map.entry("ne", "!="),
          Map.entry("lt", "<"),
          Map.entry("lessthan", "<"),
          Map.entry("le", "<="),
          Map.entry("gt", ">"),
          Map.entry("greaterthan", ">"),
          Map.entry("ge", ">="),
          Map.entry("in", "in"));

  private static final Map<String, BiPredicate<Object, Object>> OF_TWO =
      Map.of(
          "sameas",
          (a, b) -> a == b || a instanceof Boolean && a.equals(b),
          "divisibleby",
          (a, b) -> a instanceof Long x && b instanceof Long y && y != 0 && x % y == 0);

  private ValueTests() {}

  private static boolean isIterable(Object value) {
    return value instanceof List || value instanceof Map || value instanceof String;
  }

  static boolean exists(String name) {
    return OF_ONE.containsKey(name) || OF_TWO.containsKey(name) || COMPARISONS.containsKey(name);
  }

  static boolean apply(String name, Object value, Arguments arguments) {
    Predicate<Object> ofOne = OF_ONE.get(name);
    if (ofOne != null) {
      arguments.bind(name);
      return ofOne.test(value);
    }
    Object other = arguments.bind(1, name, "other")[0];
    String comparison = COMPARISONS.get(name);
    if (comparison != null) {
      return compare(arguments.line(), comparison, value, other);
    }
    BiPredicate<Object, Object> ofTwo = OF_TWO.get(name);
    if (ofTwo == null) {
      throw arguments.error("no test named '" + name + "'");
    }
    return ofTwo.test(value, other);
  }

  static boolean compare(int line, String operator, Object a, Object b) {
    return switch (operator) {
      case "==" -> Values.equal(a, b);
      case "!=" -> !Values.equal(a, b);
      case "<" -> Values.compare(line, a, b) < 0;
      case "<=" -> Values.compare(line, a, b) <= 0;
      case ">" -> Values.compare(line, a, b) > 0;
      case ">=" -> Values.compare(line, a, b) >= 0;
      case "in" -> Values.contains(line, b, a);
      case "not in" -> !Values.contains(line, b, a);
      default -> throw new IllegalStateException(operator);
    };
  }
}
