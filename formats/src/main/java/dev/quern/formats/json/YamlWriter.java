package dev.quern.formats.json;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Writes values as YAML in the look of PyYAML with {@code default_flow_style=None}: lists and
 * mappings of scalars stand on a line of their own, all others are blocks; lines break near 88
 * characters.
 *
 * <p>Text stands bare where both YAML 1.1 and 1.2 read it as the same text, and in quotes
 * elsewhere.
 */
public final class YamlWriter {
  private static final int WIDTH = 88;
  private static final int INDENT = 2;
  private static final Pattern BARE = Pattern.compile("[A-Za-z_][A-Za-z0-9_./-]*");
  private static final Pattern PRINTABLE = Pattern.compile("[ -~\\u00a0-\\ud7ff]*");

  /** What YAML 1.1 takes for something else, in any case. */
  private static final Set<String> WORDS =
      Set.of("null", "true", "false", "yes", "no", "on", "off", "y", "n");

  private final StringBuilder out = new StringBuilder();

  private YamlWriter() {}

  /** The document, members in order, with a newline at the end. */
  public static String write(Json.Obj document) {
    YamlWriter writer = new YamlWriter();
    writer.block(document, 0);
    return writer.out.toString();
  }

  private void block(Json.Obj object, int indent) {
    for (Map.Entry<String, Json> member : object.members().entrySet()) {
      out.repeat(' ', indent).append(text(member.getKey())).append(':');
      if (member.getValue() instanceof Json.Obj inner && !isLeaf(inner)) {
        out.append('\n');
        block(inner, indent + INDENT);
      } else {
        out.append(' ');
        flow(member.getValue(), indent + INDENT);
        out.append('\n');
      }
    }
  }

  private static boolean isLeaf(Json.Obj object) {
    return object.members().values().stream()
        .noneMatch(value -> value instanceof Json.Obj || value instanceof Json.Arr);
  }

  private void flow(Json value, int indent) {
    switch (value) {
      case Json.Obj object -> {
        List<String> parts = new ArrayList<>();
        object.members().forEach((name, member) -> parts.add(text(name) + ": " + inline(member)));
        enclosed('{', parts, '}', indent);
      }
      case Json.Arr list ->
          enclosed('[', list.items().stream().map(YamlWriter::inline).toList(), ']', indent);
      default -> out.append(inline(value));
    }
  }

  private void enclosed(char open, List<String> parts, char close, int indent) {
    out.append(open);
    for (int i = 0; i < parts.size(); i++) {
      String part = parts.get(i) + (i + 1 < parts.size() ? "," : "");
      if (i > 0) {
        boolean fits = out.length() - (out.lastIndexOf("\n") + 1) + 1 + part.length() <= WIDTH;
        out.append(fits ? " " : "\n" + " ".repeat(indent));
      }
      out.append(part);
    }
    out.append(close);
  }

  private static String inline(Json value) {
    return switch (value) {
      case Json.Str string -> text(string.value());
      case Json.Num number -> number(number.literal());
      // JSON is YAML.
      default -> JsonWriter.compact(value);
    };
  }

  private static String number(String literal) {
    return switch (literal) {
      case "NaN" -> ".nan";
      case "Infinity" -> ".inf";
      case "-Infinity" -> "-.inf";
      default -> literal;
    };
  }

  private static String text(String value) {
    if (BARE.matcher(value).matches() && !WORDS.contains(value.toLowerCase(Locale.ROOT))) {
      return value;
    }
    return PRINTABLE.matcher(value).matches()
        ? "'" + value.replace("'", "''") + "'"
        : JsonWriter.quote(value);
  }
}
