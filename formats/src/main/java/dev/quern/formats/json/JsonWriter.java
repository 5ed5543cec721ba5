package dev.quern.formats.json;

import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * Writes {@link Json} in the two looks that checkpoints need. Neither ends with a newline.
 *
 * <p>Source: the output of Python's {@code json.dumps} and of Rust's {@code serde_json}, compared
 * in {@code JsonWriterTest}.
 */
public final class JsonWriter {
  /** Python compares strings by code point, Java by UTF-16 unit; they differ above U+FFFF. */
  private static final Comparator<String> BY_CODE_POINT =
      (a, b) -> {
        int common = Math.min(a.length(), b.length());
        for (int i = 0; i < common; i++) {
          char x = a.charAt(i);
          char y = b.charAt(i);
          if (x != y) {
            return Character.isSurrogate(x) == Character.isSurrogate(y)
                ? Character.compare(x, y)
                : Character.isSurrogate(x) ? 1 : -1;
          }
        }
        return Integer.compare(a.length(), b.length());
      };

  private static final int QUOTE_LIMIT = 200;

  private final StringBuilder out = new StringBuilder();
  private final boolean pretty;

  private JsonWriter(boolean pretty) {
    this.pretty = pretty;
  }

  /** The look of {@code json.dumps(value, indent=2, sort_keys=True)}: ASCII only, names sorted. */
  public static String pretty(Json value) {
    JsonWriter writer = new JsonWriter(true);
    writer.value(value, "\n");
    return writer.out.toString();
  }

  /**
   * The look of safetensors headers: no spaces, names in their order, characters beyond ASCII as
   * they are.
   */
  public static String compact(Json value) {
    JsonWriter writer = new JsonWriter(false);
    writer.value(value, "");
    return writer.out.toString();
  }

  /** A name in quotes for a message: control characters escaped, shortened when it is very long. */
  public static String quote(String text) {
    JsonWriter writer = new JsonWriter(true);
    boolean tooLong = text.length() > QUOTE_LIMIT;
    writer.string(tooLong ? text.substring(0, QUOTE_LIMIT) + "..." : text);
    return writer.out.toString();
  }

  /** Order of names by code point, as Python and UTF-8 bytes sort them. */
  public static Comparator<String> byCodePoint() {
    return BY_CODE_POINT;
  }

  private void value(Json value, String newline) {
    switch (value) {
      case Json.Obj obj -> object(obj, newline);
      case Json.Arr arr -> array(arr.items(), newline);
      case Json.Str str -> string(str.value());
      case Json.Num num -> out.append(num.literal());
      case Json.Bool bool -> out.append(bool.value());
      case Json.Null _ -> out.append("null");
    }
  }

  private void object(Json.Obj obj, String newline) {
    if (obj.members().isEmpty()) {
      out.append("{}");
      return;
    }
    String inner = pretty ? newline + "  " : newline;
    Comparator<Map.Entry<String, Json>> byName = Map.Entry.comparingByKey(BY_CODE_POINT);
    Iterator<Map.Entry<String, Json>> members =
        pretty
            ? obj.members().entrySet().stream().sorted(byName).iterator()
            : obj.members().entrySet().iterator();
    out.append('{');
    while (members.hasNext()) {
      Map.Entry<String, Json> member = members.next();
      out.append(inner);
      string(member.getKey());
      out.append(pretty ? ": " : ":");
      value(member.getValue(), inner);
      out.append(members.hasNext() ? "," : "");
    }
    out.append(newline).append('}');
  }

  private void array(List<Json> items, String newline) {
    if (items.isEmpty()) {
      out.append("[]");
      return;
    }
    String inner = pretty ? newline + "  " : newline;
    out.append('[');
    for (int i = 0; i < items.size(); i++) {
      out.append(i == 0 ? "" : ",").append(inner);
      value(items.get(i), inner);
    }
    out.append(newline).append(']');
  }

  private void string(String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        default -> {
          if (c < 0x20 || (pretty && c > 0x7e)) {
            escape(c);
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }

  private void escape(char c) {
    out.append("\\u");
    for (int shift = 12; shift >= 0; shift -= 4) {
      out.append(Character.forDigit((c >> shift) & 0xf, 16));
    }
  }
}
