package dev.quern.formats.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The functions that every template has. */
final class Globals {
  /** Jinja's own limit, {@code sandbox.MAX_RANGE}. */
  private static final int MAX_RANGE = 100_000;

  /**
   * The day that templates see as today: a Friday. The clock would change the ids from one day to
   * the next; this is the date that Llama's templates fall back to.
   */
  private static final Map<Character, String> TODAY =
      Map.ofEntries(
          Map.entry('d', "26"),
          Map.entry('b', "Jul"),
          Map.entry('B', "July"),
          Map.entry('m', "07"),
          Map.entry('Y', "2024"),
          Map.entry('y', "24"),
          Map.entry('A', "Friday"),
          Map.entry('a', "Fri"),
          Map.entry('j', "208"),
          Map.entry('H', "00"),
          Map.entry('I', "12"),
          Map.entry('M', "00"),
          Map.entry('S', "00"),
          Map.entry('p', "AM"),
          Map.entry('%', "%"));

  static final Map<String, Callable> ALL =
      Map.of(
          "range",
          Globals::range,
          "namespace",
          arguments -> new Namespace(members(arguments)),
          "dict",
          arguments -> new LinkedHashMap<Object, Object>(members(arguments)),
          "raise_exception",
          Globals::raise,
          "strftime_now",
          Globals::strftime);

  private Globals() {}

  private static Map<String, Object> members(Arguments arguments) {
    Map<String, Object> members = new LinkedHashMap<>();
    for (Object source : arguments.positional()) {
      if (!(source instanceof Map<?, ?> map)) {
        throw arguments.error("expected a mapping, found " + Values.kind(source));
      }
      map.forEach((name, value) -> members.put(PythonText.str(arguments.line(), name), value));
    }
    members.putAll(arguments.named());
    return members;
  }

  private static Object range(Arguments arguments) {
    Object[] bound = arguments.bind(1, "range", "start", "stop", "step");
    long[] values = new long[3];
    for (int i = 0; i < 3; i++) {
      if (bound[i] != null && !(bound[i] instanceof Long)) {
        throw arguments.error("range() takes whole numbers, found " + Values.kind(bound[i]));
      }
      values[i] = bound[i] == null ? 0 : (Long) bound[i];
    }
    long start = bound[1] == null ? 0 : values[0];
    long stop = bound[1] == null ? values[0] : values[1];
    long step = bound[2] == null ? 1 : values[2];
    if (step == 0) {
      throw arguments.error("range() has a step of 0");
    }
    List<Object> items = new ArrayList<>();
    for (long i = start; step > 0 ? i < stop : i > stop; i += step) {
      if (items.size() == MAX_RANGE) {
        throw arguments.error("range() has more than " + MAX_RANGE + " items");
      }
      items.add(i);
    }
    return items;
  }

  private static Object raise(Arguments arguments) {
    Object message = arguments.bind(1, "raise_exception", "message")[0];
    throw new TemplateException(arguments.line(), PythonText.str(arguments.line(), message), true);
  }

  private static Object strftime(Arguments arguments) {
    String format =
        PythonText.str(arguments.line(), arguments.bind(1, "strftime_now", "format")[0]);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%' || i + 1 == format.length()) {
        text.append(c);
        continue;
      }
      String part = TODAY.get(format.charAt(++i));
      if (part == null) {
        throw arguments.error("strftime_now() does not know %" + format.charAt(i));
      }
      text.append(part);
    }
    return text.toString();
  }
}
