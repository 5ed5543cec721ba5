package dev.quern.formats.jinja;

import dev.quern.formats.json.Json;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Values as text: Python's {@code str}, {@code repr} and {@code json.dumps}.
 *
 * <p>A list can hold another one many times over, so its text can be far longer than what made it;
 * the length is limited.
 */
final class PythonText {
  private final int line;
  private final StringBuilder out = new StringBuilder();

  private PythonText(int line) {
    this.line = line;
  }

  /** {@code str(value)}; an undefined value is empty. */
  static String str(int line, Object value) {
    return switch (value) {
      case String text -> text;
      case Undefined _ -> "";
      default -> repr(line, value);
    };
  }

  static String repr(int line, Object value) {
    PythonText text = new PythonText(line);
    text.appendRepr(value);
    return text.out.toString();
  }

  private void append(String text) {
    if (out.length() + text.length() > Template.MAX_OUTPUT) {
      throw new TemplateException(line, "the text of a value is too long");
    }
    out.append(text);
  }

  private void appendRepr(Object value) {
    switch (value) {
      case String text -> append(quoted(text));
      case Boolean bool -> append(bool ? "True" : "False");
      case None _ -> append("None");
      case Undefined _ -> append("Undefined");
      case Long number -> append(number.toString());
      case Double number -> append(decimal(number));
      case List<?> list -> {
        append("[");
        String between = "";
        for (Object item : list) {
          append(between);
          appendRepr(item);
          between = ", ";
        }
        append("]");
      }
      case Map<?, ?> map -> {
        append("{");
        String between = "";
        for (Map.Entry<?, ?> entry : map.entrySet()) {
          append(between);
          appendRepr(entry.getKey());
          append(": ");
          appendRepr(entry.getValue());
          between = ", ";
        }
        append("}");
      }
      default -> throw new TemplateException(line, Values.kind(value) + " cannot be printed");
    }
  }

  private static String decimal(double value) {
    if (Double.isNaN(value)) {
      return "nan";
    }
    return Double.isInfinite(value) ? value > 0 ? "inf" : "-inf" : Json.of(value).literal();
  }

  private static String quoted(String text) {
    char quote = text.contains("'") && !text.contains("\"") ? '"' : '\'';
    StringBuilder result = new StringBuilder().append(quote);
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '\n' -> result.append("\\n");
                case '\r' -> result.append("\\r");
                case '\t' -> result.append("\\t");
                case '\\' -> result.append("\\\\");
                default -> {
                  if (c == quote) {
                    result.append('\\').append(quote);
                  } else if (isPrintable(c)) {
                    result.appendCodePoint(c);
                  } else {
                    String form = c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x";
                    result.append(String.format(Locale.ROOT, form, c));
                  }
                }
              }
            });
    return result.append(quote).toString();
  }

  private static boolean isPrintable(int c) {
    return c == ' '
        || switch (Character.getType(c)) {
          case Character.CONTROL,
              Character.FORMAT,
              Character.SURROGATE,
              Character.PRIVATE_USE,
              Character.UNASSIGNED,
              Character.LINE_SEPARATOR,
              Character.PARAGRAPH_SEPARATOR,
              Character.SPACE_SEPARATOR ->
              false;
          default -> true;
        };
  }

  /**
   * How {@code json.dumps} lays a document out.
   *
   * @param indent what one level is indented by, or null for one line
   */
  record JsonLook(
      boolean ascii, String indent, String itemSeparator, String keySeparator, boolean sortKeys) {}

  static String json(int line, Object value, JsonLook look) {
    PythonText text = new PythonText(line);
    text.appendJson(value, look, look.indent() == null ? null : "\n");
    return text.out.toString();
  }

  private void appendJson(Object value, JsonLook look, String newline) {
    switch (value) {
      case String text -> append(jsonString(text, look.ascii()));
      case Boolean bool -> append(bool.toString());
      case None _ -> append("null");
      case Long number -> append(number.toString());
      case Double number -> append(Json.of(number).literal());
      case List<?> list -> {
        if (list.isEmpty()) {
          append("[]");
          return;
        }
        String inner = newline == null ? "" : newline + look.indent();
        append("[");
        for (Iterator<?> items = list.iterator(); items.hasNext(); ) {
          append(inner);
          appendJson(items.next(), look, newline == null ? null : inner);
          append(items.hasNext() ? look.itemSeparator() : "");
        }
        append(newline == null ? "]" : newline + "]");
      }
      case Map<?, ?> map -> {
        if (map.isEmpty()) {
          append("{}");
          return;
        }
        String inner = newline == null ? "" : newline + look.indent();
        append("{");
        List<? extends Map.Entry<?, ?>> entries = List.copyOf(map.entrySet());
        if (look.sortKeys()) {
          Comparator<Map.Entry<?, ?>> byKey =
              (a, b) -> Values.compare(line, a.getKey(), b.getKey());
          entries = entries.stream().sorted(byKey).toList();
        }
        for (Iterator<? extends Map.Entry<?, ?>> each = entries.iterator(); each.hasNext(); ) {
          Map.Entry<?, ?> entry = each.next();
          append(inner);
          append(jsonString(key(entry.getKey()), look.ascii()));
          append(look.keySeparator());
          appendJson(entry.getValue(), look, newline == null ? null : inner);
          append(each.hasNext() ? look.itemSeparator() : "");
        }
        append(newline == null ? "}" : newline + "}");
      }
      default -> throw new TemplateException(line, Values.kind(value) + " has no form in JSON");
    }
  }

  private String key(Object key) {
    return switch (key) {
      case Boolean bool -> bool.toString();
      case None _ -> "null";
      default -> str(line, key);
    };
  }

  private static String jsonString(String text, boolean ascii) {
    StringBuilder result = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> result.append("\\\"");
        case '\\' -> result.append("\\\\");
        case '\n' -> result.append("\\n");
        case '\r' -> result.append("\\r");
        case '\t' -> result.append("\\t");
        case '\b' -> result.append("\\b");
        case '\f' -> result.append("\\f");
        default -> {
          if (c < ' ' || ascii && c > '~') {
            result.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
          } else {
            result.append(c);
          }
        }
      }
    }
    return result.append('"').toString();
  }
}
