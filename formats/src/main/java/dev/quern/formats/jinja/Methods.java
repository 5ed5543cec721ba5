package dev.quern.formats.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The methods of Python's {@code str}, {@code dict} and {@code list} that change nothing: those
 * that {@code ImmutableSandboxedEnvironment} allows, as far as templates use them.
 */
final class Methods {
  @FunctionalInterface
  private interface Method<T> {
    Object call(T self, Arguments arguments);
  }

  private static final Map<String, Method<String>> OF_STRING =
      Map.ofEntries(
          Map.entry("strip", (self, a) -> strip(self, a, true, true)),
          Map.entry("lstrip", (self, a) -> strip(self, a, true, false)),
          Map.entry("rstrip", (self, a) -> strip(self, a, false, true)),
          Map.entry("split", (self, a) -> split(self, a, false)),
          Map.entry("rsplit", (self, a) -> split(self, a, true)),
          Map.entry("splitlines", (self, _) -> self.lines().toList()),
          Map.entry("partition", (self, a) -> partition(self, a, self.indexOf(text(a)))),
          Map.entry("rpartition", (self, a) -> partition(self, a, self.lastIndexOf(text(a)))),
          Map.entry("startswith", (self, a) -> options(a).stream().anyMatch(self::startsWith)),
          Map.entry("endswith", (self, a) -> options(a).stream().anyMatch(self::endsWith)),
          Map.entry("removeprefix", (self, a) -> removePrefix(self, text(a))),
          Map.entry("removesuffix", (self, a) -> removeSuffix(self, text(a))),
          Map.entry("replace", Methods::replace),
          Map.entry("upper", (self, _) -> self.toUpperCase(Locale.ROOT)),
          Map.entry("lower", (self, _) -> self.toLowerCase(Locale.ROOT)),
          Map.entry("title", (self, _) -> title(self)),
          Map.entry("capitalize", (self, _) -> capitalize(self)),
          Map.entry("find", (self, a) -> position(self, self.indexOf(text(a)))),
          Map.entry("rfind", (self, a) -> position(self, self.lastIndexOf(text(a)))),
          Map.entry("count", (self, a) -> count(self, text(a))),
          Map.entry("join", Methods::join),
          Map.entry("isdigit", (self, _) -> all(self, Character::isDigit)),
          Map.entry("isalpha", (self, _) -> all(self, Character::isLetter)),
          Map.entry("isalnum", (self, _) -> all(self, Character::isLetterOrDigit)),
          Map.entry("isspace", (self, _) -> all(self, c -> Values.isSpace((char) c))));

  private static final Map<String, Method<Map<?, ?>>> OF_MAPPING =
      Map.of(
          "get", Methods::get,
          "items", (self, _) -> items(self),
          "keys", (self, _) -> List.copyOf(self.keySet()),
          "values", (self, _) -> List.copyOf(self.values()),
          "copy", (self, _) -> new LinkedHashMap<Object, Object>(self));

  private static final Map<String, Method<List<?>>> OF_LIST =
      Map.of(
          "copy",
          (self, _) -> List.copyOf(self),
          "count",
          (self, a) -> {
            Object item = a.bind(1, "count", "value")[0];
            return self.stream().filter(each -> Values.equal(each, item)).count();
          },
          "index",
          (self, a) -> {
            Object item = a.bind(1, "index", "value")[0];
            for (int i = 0; i < self.size(); i++) {
              if (Values.equal(self.get(i), item)) {
                return (long) i;
              }
            }
            throw a.error("index() finds no such item");
          });

  private Methods() {}

  /** The method bound to its value, or null. */
  static Callable find(Object value, String name) {
    return switch (value) {
      case String text -> bound(OF_STRING.get(name), text);
      case Map<?, ?> map -> bound(OF_MAPPING.get(name), map);
      case List<?> list -> bound(OF_LIST.get(name), list);
      default -> null;
    };
  }

  private static <T> Callable bound(Method<? super T> method, T self) {
    return method == null ? null : arguments -> method.call(self, arguments);
  }

  private static String text(Arguments arguments) {
    return text(arguments, arguments.bind(1, "a method of strings", "text")[0]);
  }

  private static String text(Arguments arguments, Object value) {
    if (value instanceof String text) {
      return text;
    }
    throw arguments.error("expected a string, found " + Values.kind(value));
  }

  /** A string, or several of which one is to fit. */
  private static List<String> options(Arguments arguments) {
    Object given = arguments.bind(1, "a method of strings", "text")[0];
    return given instanceof List<?> list
        ? list.stream().map(item -> text(arguments, item)).toList()
        : List.of(text(arguments, given));
  }

  private static Object strip(String self, Arguments a, boolean left, boolean right) {
    Object given = a.bind("strip", "chars")[0];
    return strip(a, self, given, left, right);
  }

  /** Without {@code chars}, or white space when that is null or none, at its ends. */
  static String strip(Arguments a, String self, Object chars, boolean left, boolean right) {
    if (chars == null || chars == None.NONE) {
      String text = left ? Values.stripLeft(self) : self;
      return right ? Values.stripRight(text) : text;
    }
    String set = text(a, chars);
    int[] points = self.codePoints().toArray();
    int start = 0;
    int end = points.length;
    while (left && start < end && set.indexOf(points[start]) >= 0) {
      start++;
    }
    while (right && start < end && set.indexOf(points[end - 1]) >= 0) {
      end--;
    }
    return new String(points, start, end - start);
  }

  private static Object split(String self, Arguments a, boolean fromRight) {
    Object[] bound = a.bind("split", "sep", "maxsplit");
    long most = bound[1] instanceof Long limit && limit >= 0 ? limit : Long.MAX_VALUE;
    if (bound[0] == null || bound[0] == None.NONE) {
      return words(self, most, fromRight, a);
    }
    String separator = text(a, bound[0]);
    if (separator.isEmpty()) {
      throw a.error("split() has an empty separator");
    }
    List<Object> parts = new ArrayList<>();
    String rest = self;
    while (parts.size() < most) {
      int at = fromRight ? rest.lastIndexOf(separator) : rest.indexOf(separator);
      if (at < 0) {
        break;
      }
      int behind = at + separator.length();
      parts.add(fromRight ? rest.substring(behind) : rest.substring(0, at));
      rest = fromRight ? rest.substring(0, at) : rest.substring(behind);
    }
    parts.add(rest);
    return fromRight ? parts.reversed() : parts;
  }

  private static List<Object> words(String self, long most, boolean fromRight, Arguments a) {
    if (fromRight && most != Long.MAX_VALUE) {
      throw a.error("rsplit() with a limit needs a separator here");
    }
    List<Object> words = new ArrayList<>();
    String rest = Values.stripLeft(self);
    while (!rest.isEmpty()) {
      int end = 0;
      while (end < rest.length() && !Values.isSpace(rest.charAt(end))) {
        end++;
      }
      if (words.size() == most) {
        words.add(rest);
        break;
      }
      words.add(rest.substring(0, end));
      rest = Values.stripLeft(rest.substring(end));
    }
    return words;
  }

  private static Object partition(String self, Arguments a, int at) {
    String separator = text(a);
    if (at < 0) {
      return List.of(self, "", "");
    }
    return List.of(self.substring(0, at), separator, self.substring(at + separator.length()));
  }

  private static String removePrefix(String self, String prefix) {
    return self.startsWith(prefix) ? self.substring(prefix.length()) : self;
  }

  private static String removeSuffix(String self, String suffix) {
    return self.endsWith(suffix) ? self.substring(0, self.length() - suffix.length()) : self;
  }

  static Object replace(String self, Arguments a) {
    Object[] bound = a.bind(2, "replace", "old", "new", "count");
    String old = text(a, bound[0]);
    String replacement = text(a, bound[1]);
    long most = bound[2] instanceof Long limit && limit >= 0 ? limit : Long.MAX_VALUE;
    if (old.isEmpty()) {
      throw a.error("replace() of an empty string is not supported");
    }
    StringBuilder result = new StringBuilder();
    int from = 0;
    for (long done = 0; done < most; done++) {
      int at = self.indexOf(old, from);
      if (at < 0) {
        break;
      }
      result.append(self, from, at).append(replacement);
      from = at + old.length();
      if (result.length() > Template.MAX_OUTPUT) {
        throw a.error("a string grows too long");
      }
    }
    return result.append(self, from, self.length()).toString();
  }

  static String capitalize(String self) {
    if (self.isEmpty()) {
      return self;
    }
    int first = self.codePointAt(0);
    return Character.toString(Character.toTitleCase(first))
        + self.substring(Character.charCount(first)).toLowerCase(Locale.ROOT);
  }

  private static String title(String self) {
    StringBuilder result = new StringBuilder();
    boolean inWord = false;
    for (int c : self.codePoints().toArray()) {
      result.appendCodePoint(inWord ? Character.toLowerCase(c) : Character.toTitleCase(c));
      inWord = Character.isLetter(c);
    }
    return result.toString();
  }

  private static Object position(String self, int at) {
    return at < 0 ? -1L : (long) self.codePointCount(0, at);
  }

  private static Object count(String self, String part) {
    if (part.isEmpty()) {
      return self.codePointCount(0, self.length()) + 1L;
    }
    long count = 0;
    for (int at = self.indexOf(part); at >= 0; at = self.indexOf(part, at + part.length())) {
      count++;
    }
    return count;
  }

  private static Object join(String self, Arguments a) {
    Object items = a.bind(1, "join", "items")[0];
    return join(
        a, self, Values.items(a.line(), items).stream().map(item -> text(a, item)).toList());
  }

  static String join(Arguments a, String separator, List<String> items) {
    long length = 0;
    for (String item : items) {
      length += item.length() + separator.length();
    }
    if (length > Template.MAX_OUTPUT) {
      throw a.error("a string grows too long");
    }
    return String.join(separator, items);
  }

  private static Object all(String self, java.util.function.IntPredicate test) {
    return !self.isEmpty() && self.codePoints().allMatch(test);
  }

  private static Object get(Map<?, ?> self, Arguments a) {
    Object[] bound = a.bind(1, "get", "key", "default");
    Object value = self.get(bound[0]);
    return value != null ? value : bound[1] != null ? bound[1] : None.NONE;
  }

  static List<Object> items(Map<?, ?> self) {
    List<Object> items = new ArrayList<>();
    self.forEach((key, value) -> items.add(List.of(key, value)));
    return items;
  }
}
