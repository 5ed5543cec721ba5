package dev.quern.formats.jinja;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * What stands behind {@code |}.
 *
 * <p>Source: Jinja 3.1, {@code filters}; {@code tojson} is transformers', plain {@code json.dumps}
 * with {@code ensure_ascii=False}.
 */
final class Filters {
  @FunctionalInterface
  private interface Filter {
    Object apply(Object value, Arguments arguments);
  }

  private static final Map<String, Filter> ALL =
      Map.ofEntries(
          Map.entry("abs", Filters::abs),
          Map.entry("capitalize", (value, a) -> Methods.capitalize(text(value, a))),
          Map.entry("count", Filters::length),
          Map.entry("d", Filters::byDefault),
          Map.entry("default", Filters::byDefault),
          Map.entry("dictsort", Filters::dictsort),
          Map.entry("e", Filters::escape),
          Map.entry("escape", Filters::escape),
          Map.entry("first", (value, a) -> end(value, a, true)),
          Map.entry("float", Filters::decimal),
          Map.entry("indent", Filters::indent),
          Map.entry("int", Filters::whole),
          Map.entry("items", Filters::items),
          Map.entry("join", Filters::join),
          Map.entry("last", (value, a) -> end(value, a, false)),
          Map.entry("length", Filters::length),
          Map.entry("list", (value, a) -> List.copyOf(Values.items(a.line(), value))),
          Map.entry("lower", (value, a) -> text(value, a).toLowerCase(Locale.ROOT)),
          Map.entry("map", Filters::map),
          Map.entry("max", (value, a) -> extreme(value, a, 1)),
          Map.entry("min", (value, a) -> extreme(value, a, -1)),
          Map.entry("reject", (value, a) -> select(value, a, false)),
          Map.entry("rejectattr", (value, a) -> selectByMember(value, a, false)),
          Map.entry("replace", (value, a) -> Methods.replace(text(value, a), a)),
          Map.entry("reverse", Filters::reverse),
          Map.entry("round", Filters::round),
          Map.entry("safe", (value, a) -> text(value, a)),
          Map.entry("select", (value, a) -> select(value, a, true)),
          Map.entry("selectattr", (value, a) -> selectByMember(value, a, true)),
          Map.entry("sort", Filters::sort),
          Map.entry("string", (value, a) -> text(value, a)),
          Map.entry("sum", Filters::sum),
          Map.entry("title", (value, a) -> title(text(value, a))),
          Map.entry("tojson", Filters::json),
          Map.entry("trim", Filters::trim),
          Map.entry("unique", Filters::unique),
          Map.entry("upper", (value, a) -> text(value, a).toUpperCase(Locale.ROOT)));

  private Filters() {}

  static boolean exists(String name) {
    return ALL.containsKey(name);
  }

  static Object apply(String name, Object value, Arguments arguments) {
    Filter filter = ALL.get(name);
    if (filter == null) {
      throw arguments.error("no filter named '" + name + "'");
    }
    return filter.apply(value, arguments);
  }

  private static String text(Object value, Arguments a) {
    return PythonText.str(a.line(), value);
  }

  private static boolean isGiven(Object argument) {
    return argument != null && argument != None.NONE;
  }

  private static boolean isTrue(Object argument) {
    return argument != null && Values.truth(argument);
  }

  private static Object abs(Object value, Arguments a) {
    return switch (Values.number(value)) {
      case Long number -> Math.abs(number);
      case Double number -> Math.abs(number);
      case null, default -> throw a.error("abs takes a number, found " + Values.kind(value));
    };
  }

  private static Object length(Object value, Arguments a) {
    return Values.length(a.line(), value);
  }

  private static Object byDefault(Object value, Arguments a) {
    Object[] bound = a.bind("default", "default_value", "boolean");
    boolean missing = value instanceof Undefined || isTrue(bound[1]) && !Values.truth(value);
    return !missing ? value : bound[0] == null ? "" : bound[0];
  }

  private static Object dictsort(Object value, Arguments a) {
    Object[] bound = a.bind("dictsort", "case_sensitive", "by", "reverse");
    if (!(value instanceof Map<?, ?> map)) {
      throw a.error("dictsort takes a mapping, found " + Values.kind(value));
    }
    int part = "value".equals(bound[1]) ? 1 : 0;
    return sorted(
        Methods.items(map),
        item -> folded(((List<?>) item).get(part), isTrue(bound[0])),
        isTrue(bound[2]),
        a);
  }

  private static Object sort(Object value, Arguments a) {
    Object[] bound = a.bind("sort", "reverse", "case_sensitive", "attribute");
    Function<Object, Object> member = member(bound[2], a);
    return sorted(
        Values.items(a.line(), value),
        item -> folded(member.apply(item), isTrue(bound[1])),
        isTrue(bound[0]),
        a);
  }

  private static List<Object> sorted(
      List<?> items, Function<Object, Object> key, boolean reverse, Arguments a) {
    Comparator<Object> order = (x, y) -> Values.compare(a.line(), key.apply(x), key.apply(y));
    List<Object> result = new ArrayList<>(items);
    result.sort(reverse ? order.reversed() : order);
    return result;
  }

  private static Object folded(Object value, boolean caseSensitive) {
    return value instanceof String text && !caseSensitive ? text.toLowerCase(Locale.ROOT) : value;
  }

  private static Object unique(Object value, Arguments a) {
    Object[] bound = a.bind("unique", "case_sensitive", "attribute");
    Function<Object, Object> member = member(bound[1], a);
    Map<Object, Object> seen = new LinkedHashMap<>();
    for (Object item : Values.items(a.line(), value)) {
      seen.putIfAbsent(folded(member.apply(item), isTrue(bound[0])), item);
    }
    return List.copyOf(seen.values());
  }

  private static Object escape(Object value, Arguments a) {
    return text(value, a)
        .replace("&", "&amp;")
        .replace(">", "&gt;")
        .replace("<", "&lt;")
        .replace("'", "&#39;")
        .replace("\"", "&#34;");
  }

  private static Object end(Object value, Arguments a, boolean first) {
    List<?> items = Values.items(a.line(), value);
    if (items.isEmpty()) {
      return new Undefined(first ? "the first item" : "the last item");
    }
    return first ? items.getFirst() : items.getLast();
  }

  private static Object whole(Object value, Arguments a) {
    Object[] bound = a.bind("int", "default", "base");
    Number number = Values.number(value);
    if (number != null) {
      return number.longValue();
    }
    try {
      return Long.parseLong(Values.stripLeft(Values.stripRight(text(value, a))));
    } catch (NumberFormatException e) {
      return bound[0] == null ? 0L : bound[0];
    }
  }

  private static Object decimal(Object value, Arguments a) {
    Object[] bound = a.bind("float", "default");
    Number number = Values.number(value);
    if (number != null) {
      return number.doubleValue();
    }
    try {
      return Double.parseDouble(text(value, a));
    } catch (NumberFormatException e) {
      return bound[0] == null ? 0.0 : bound[0];
    }
  }

  private static Object round(Object value, Arguments a) {
    Object[] bound = a.bind("round", "precision", "method");
    Number number = Values.number(value);
    if (number == null || bound[0] != null && !(bound[0] instanceof Long)) {
      throw a.error("round takes a number and a whole precision");
    }
    double scale = Math.pow(10, bound[0] == null ? 0 : (Long) bound[0]);
    double scaled = number.doubleValue() * scale;
    double rounded =
        switch (bound[1] == null ? "common" : text(bound[1], a)) {
          case "ceil" -> Math.ceil(scaled);
          case "floor" -> Math.floor(scaled);
          default -> Math.rint(scaled);
        };
    return rounded / scale;
  }

  private static Object indent(Object value, Arguments a) {
    Object[] bound = a.bind("indent", "width", "first", "blank");
    String step =
        switch (bound[0]) {
          case null -> "    ";
          case Long width -> " ".repeat(Math.clamp(width, 0, 1000));
          default -> text(bound[0], a);
        };
    List<String> lines = new ArrayList<>(List.of(text(value, a).split("\n", -1)));
    for (int i = 0; i < lines.size(); i++) {
      boolean indented = i == 0 ? isTrue(bound[1]) : isTrue(bound[2]) || !lines.get(i).isEmpty();
      lines.set(i, indented ? step + lines.get(i) : lines.get(i));
    }
    return Methods.join(a, "\n", lines);
  }

  private static Object items(Object value, Arguments a) {
    return switch (value) {
      case Map<?, ?> map -> Methods.items(map);
      case Undefined _ -> List.of();
      default -> throw a.error("items takes a mapping, found " + Values.kind(value));
    };
  }

  private static Object join(Object value, Arguments a) {
    Object[] bound = a.bind("join", "d", "attribute");
    Function<Object, Object> member = member(bound[1], a);
    return Methods.join(
        a,
        bound[0] == null ? "" : text(bound[0], a),
        Values.items(a.line(), value).stream().map(item -> text(member.apply(item), a)).toList());
  }

  /** The member of this name, with dots for members of members; the value when there is none. */
  private static Function<Object, Object> member(Object name, Arguments a) {
    if (!isGiven(name)) {
      return Function.identity();
    }
    if (name instanceof Long) {
      return item -> Values.index(a.line(), item, name);
    }
    List<String> path = List.of(text(name, a).split("\\."));
    return item -> {
      Object value = item;
      for (String step : path) {
        value =
            Values.index(a.line(), value, step.matches("[0-9]{1,9}") ? Long.valueOf(step) : step);
      }
      return value;
    };
  }

  private static Object map(Object value, Arguments a) {
    List<?> items = Values.items(a.line(), value);
    if (a.positional().isEmpty()) {
      Object[] bound = a.bind("map", "attribute", "default");
      Function<Object, Object> member = member(bound[0], a);
      return items.stream()
          .map(
              item -> {
                Object found = member.apply(item);
                return found instanceof Undefined && bound[1] != null ? bound[1] : found;
              })
          .toList();
    }
    String filter = text(a.positional().getFirst(), a);
    return items.stream().map(item -> apply(filter, item, a.tail())).toList();
  }

  private static Predicate<Object> test(Arguments a) {
    if (a.positional().isEmpty()) {
      return Values::truth;
    }
    String test = text(a.positional().getFirst(), a);
    Arguments rest = a.tail();
    return item -> ValueTests.apply(test, item, rest);
  }

  private static Object select(Object value, Arguments a, boolean wanted) {
    Predicate<Object> test = test(a);
    return Values.items(a.line(), value).stream()
        .filter(item -> test.test(item) == wanted)
        .toList();
  }

  private static Object selectByMember(Object value, Arguments a, boolean wanted) {
    if (a.positional().isEmpty()) {
      throw a.error("selectattr takes the name of a member");
    }
    Function<Object, Object> member = member(a.positional().getFirst(), a);
    Predicate<Object> test = test(a.tail());
    return Values.items(a.line(), value).stream()
        .filter(item -> test.test(member.apply(item)) == wanted)
        .toList();
  }

  private static Object extreme(Object value, Arguments a, int sign) {
    Object[] bound = a.bind("min", "case_sensitive", "attribute");
    Function<Object, Object> member = member(bound[1], a);
    Object best = new Undefined("an item of an empty list");
    boolean first = true;
    for (Object item : Values.items(a.line(), value)) {
      Object key = folded(member.apply(item), isTrue(bound[0]));
      if (first
          || sign * Values.compare(a.line(), key, folded(member.apply(best), isTrue(bound[0])))
              > 0) {
        best = item;
      }
      first = false;
    }
    return best;
  }

  private static Object sum(Object value, Arguments a) {
    Object[] bound = a.bind("sum", "attribute", "start");
    Function<Object, Object> member = member(bound[0], a);
    Object total = bound[1] == null ? 0L : bound[1];
    for (Object item : Values.items(a.line(), value)) {
      total = Operators.apply(a.line(), "+", total, member.apply(item));
    }
    return total;
  }

  private static Object reverse(Object value, Arguments a) {
    return value instanceof String text
        ? new StringBuilder(text).reverse().toString()
        : List.copyOf(Values.items(a.line(), value)).reversed();
  }

  /** Jinja's own: a capital after each space, hyphen and opening bracket only. */
  private static String title(String text) {
    StringBuilder result = new StringBuilder();
    boolean inWord = false;
    for (int c : text.codePoints().toArray()) {
      result.appendCodePoint(inWord ? Character.toLowerCase(c) : Character.toUpperCase(c));
      inWord = !(c < 0x10000 && Values.isSpace((char) c)) && "-({[<".indexOf(c) < 0;
    }
    return result.toString();
  }

  private static Object trim(Object value, Arguments a) {
    return Methods.strip(a, text(value, a), a.bind("trim", "chars")[0], true, true);
  }

  private static Object json(Object value, Arguments a) {
    Object[] bound = a.bind("tojson", "ensure_ascii", "indent", "separators", "sort_keys");
    String indent =
        !isGiven(bound[1])
            ? null
            : bound[1] instanceof Long width
                ? " ".repeat(Math.clamp(width, 0, 1000))
                : text(bound[1], a);
    String item = indent == null ? ", " : ",";
    String key = ": ";
    if (isGiven(bound[2])) {
      List<?> separators = Values.items(a.line(), bound[2]);
      if (separators.size() != 2) {
        throw a.error("tojson takes two separators, found " + separators.size());
      }
      item = text(separators.get(0), a);
      key = text(separators.get(1), a);
    }
    return PythonText.json(
        a.line(),
        value,
        new PythonText.JsonLook(isTrue(bound[0]), indent, item, key, isTrue(bound[3])));
  }
}
