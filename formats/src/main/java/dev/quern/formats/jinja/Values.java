package dev.quern.formats.jinja;

import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Python's rules for values: conversion, truth, equality, order, members, characters. */
final class Values {
  private Values() {}

  static Object of(Json json) {
    return switch (json) {
      case Json.Str text -> text.value();
      case Json.Bool bool -> bool.value();
      case Json.Null _ -> None.NONE;
      case Json.Num number ->
          number.asLong().isPresent()
              ? (Object) number.asLong().getAsLong()
              : (Object) number.doubleValue();
      case Json.Arr list -> list.items().stream().map(Values::of).toList();
      case Json.Obj object -> {
        Map<Object, Object> map = LinkedHashMap.newLinkedHashMap(object.members().size());
        object.members().forEach((name, value) -> map.put(name, of(value)));
        yield map;
      }
    };
  }

  static boolean truth(Object value) {
    return switch (value) {
      case Boolean bool -> bool;
      case Long number -> number != 0;
      case Double number -> number != 0;
      case String text -> !text.isEmpty();
      case List<?> list -> !list.isEmpty();
      case Map<?, ?> map -> !map.isEmpty();
      case None _, Undefined _ -> false;
      default -> true;
    };
  }

  /** Numbers, with true as 1: null for what is none. */
  static Number number(Object value) {
    return switch (value) {
      case Boolean bool -> bool ? 1L : 0L;
      case Long number -> number;
      case Double number -> number;
      default -> null;
    };
  }

  static boolean equal(Object a, Object b) {
    if (a == b) {
      return true;
    }
    Number x = number(a);
    Number y = number(b);
    if (x != null && y != null) {
      return x instanceof Long && y instanceof Long
          ? x.longValue() == y.longValue()
          : x.doubleValue() == y.doubleValue();
    }
    if (a instanceof Undefined && b instanceof Undefined) {
      return true;
    }
    if (a instanceof List<?> left && b instanceof List<?> right) {
      if (left.size() != right.size()) {
        return false;
      }
      for (int i = 0; i < left.size(); i++) {
        if (!equal(left.get(i), right.get(i))) {
          return false;
        }
      }
      return true;
    }
    if (a instanceof Map<?, ?> left && b instanceof Map<?, ?> right) {
      return left.size() == right.size()
          && left.entrySet().stream()
              .allMatch(
                  entry ->
                      right.containsKey(entry.getKey())
                          && equal(entry.getValue(), right.get(entry.getKey())));
    }
    return a instanceof String && a.equals(b);
  }

  /** Negative, zero or positive; an error for what Python does not order. */
  static int compare(int line, Object a, Object b) {
    Number x = number(a);
    Number y = number(b);
    if (x instanceof Long && y instanceof Long) {
      return Long.compare(x.longValue(), y.longValue());
    }
    if (x != null && y != null) {
      return Double.compare(x.doubleValue(), y.doubleValue());
    }
    if (a instanceof String left && b instanceof String right) {
      return JsonWriter.byCodePoint().compare(left, right);
    }
    throw new TemplateException(line, kind(a) + " and " + kind(b) + " have no order");
  }

  /** The items that a loop visits. */
  static List<?> items(int line, Object value) {
    return switch (value) {
      case List<?> list -> list;
      case Map<?, ?> map -> List.copyOf(map.keySet());
      case String text -> text.codePoints().mapToObj(Character::toString).toList();
      case Undefined _ -> List.of();
      default -> throw new TemplateException(line, kind(value) + " cannot be walked through");
    };
  }

  static long length(int line, Object value) {
    return value instanceof String text
        ? text.codePointCount(0, text.length())
        : items(line, value).size();
  }

  static boolean contains(int line, Object container, Object item) {
    return switch (container) {
      case String text when item instanceof String part -> text.contains(part);
      case String _ ->
          throw new TemplateException(line, kind(item) + " cannot be searched for in a string");
      case Map<?, ?> map -> map.containsKey(item);
      default -> items(line, container).stream().anyMatch(each -> equal(each, item));
    };
  }

  /** {@code value.name}: a method first, then a member. */
  static Object attribute(int line, Object value, String name) {
    if (value instanceof Undefined undefined) {
      throw new TemplateException(line, "'" + undefined.name() + "' is undefined");
    }
    if (value instanceof Namespace namespace) {
      Object member = namespace.members().get(name);
      return member == null ? new Undefined(name) : member;
    }
    Callable method = Methods.find(value, name);
    if (method != null) {
      return method;
    }
    return value instanceof Map<?, ?> map && map.get(name) != null
        ? map.get(name)
        : new Undefined(name);
  }

  /** {@code value[index]}: a member first, then a method. */
  static Object index(int line, Object value, Object index) {
    switch (value) {
      case Undefined undefined ->
          throw new TemplateException(line, "'" + undefined.name() + "' is undefined");
      case Map<?, ?> map when map.containsKey(index) -> {
        return map.get(index);
      }
      case List<?> list when number(index) instanceof Long at -> {
        long from = at < 0 ? at + list.size() : at;
        return from >= 0 && from < list.size() ? list.get((int) from) : new Undefined("item " + at);
      }
      case String text when number(index) instanceof Long at -> {
        int[] points = text.codePoints().toArray();
        long from = at < 0 ? at + points.length : at;
        return from >= 0 && from < points.length
            ? Character.toString(points[(int) from])
            : new Undefined("character " + at);
      }
      default -> {
        return index instanceof String name
            ? attribute(line, value, name)
            : new Undefined(PythonText.str(line, index));
      }
    }
  }

  /** {@code value[from:to:step]}; null where nothing is given. */
  static Object slice(int line, Object value, Long from, Long to, Long step) {
    if (value instanceof String text) {
      List<Object> points = new ArrayList<>(items(line, text));
      StringBuilder part = new StringBuilder();
      sliced(line, points, from, to, step).forEach(part::append);
      return part.toString();
    }
    if (value instanceof List<?> list) {
      return sliced(line, list, from, to, step);
    }
    throw new TemplateException(line, kind(value) + " cannot be sliced");
  }

  private static List<Object> sliced(int line, List<?> list, Long from, Long to, Long by) {
    long step = by == null ? 1 : by;
    if (step == 0) {
      throw new TemplateException(line, "a slice's step is 0");
    }
    int size = list.size();
    long least = step > 0 ? 0 : -1;
    long most = step > 0 ? size : size - 1L;
    long start = from == null ? (step > 0 ? least : most) : bound(from, size, least, most);
    long stop = to == null ? (step > 0 ? most : least) : bound(to, size, least, most);
    List<Object> part = new ArrayList<>();
    for (long i = start; step > 0 ? i < stop : i > stop; i += step) {
      part.add(list.get((int) i));
      if (Math.abs(step) > size) {
        break;
      }
    }
    return part;
  }

  private static long bound(long index, int size, long least, long most) {
    return Math.clamp(index < 0 ? index + size : index, least, most);
  }

  /** The word for a kind of value in messages. */
  static String kind(Object value) {
    return switch (value) {
      case String _ -> "a string";
      case Long _, Double _ -> "a number";
      case Boolean _ -> "a truth value";
      case List<?> _ -> "a list";
      case Map<?, ?> _ -> "a mapping";
      case None _ -> "none";
      case Undefined undefined -> "'" + undefined.name() + "', which is undefined,";
      case Namespace _ -> "a namespace";
      default -> "a function";
    };
  }

  /** Python's {@code str.isspace} of one character. */
  static boolean isSpace(char c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == '\u0085';
  }

  static String stripRight(String text) {
    int end = text.length();
    while (end > 0 && isSpace(text.charAt(end - 1))) {
      end--;
    }
    return text.substring(0, end);
  }

  static String stripLeft(String text) {
    int start = 0;
    while (start < text.length() && isSpace(text.charAt(start))) {
      start++;
    }
    return text.substring(start);
  }
}
