package dev.quern.formats.compressedtensors;

import static dev.quern.formats.compressedtensors.ConfigErrors.invalid;

import dev.quern.formats.CheckpointException;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Translates an expression of Python's {@code re} to one of Java with the same meaning.
 *
 * <p>The two languages agree on nearly everything that module patterns use. The differences that
 * are bridged: {@code (?P<name>...)}, {@code (?P=name)}, {@code (?#...)}, {@code \Z}, {@code \v},
 * {@code {,n}}, a brace that is no quantifier, a bracket or {@code &&} within a character class.
 * What Python refuses (such as {@code \p} or {@code \Q}) is refused, and so is what Java lacks
 * (conditionals).
 */
final class PythonRegex {
  private static final String ESCAPES_PYTHON_KNOWS = "abBdDsSwWAZfnrtvxuN";

  private final String where;
  private final String source;
  private final StringBuilder out = new StringBuilder();
  private final Map<String, String> groupNames = new HashMap<>();
  private int at;

  private PythonRegex(String where, String source) {
    this.where = where;
    this.source = source;
  }

  /**
   * @param where place of the expression in messages
   * @throws CheckpointException when Python or Java refuses the expression
   */
  static Pattern compile(String where, String expression) {
    String java = new PythonRegex(where, expression).translate();
    try {
      // Python knows one line end, and its \w and \d are those of Unicode.
      return Pattern.compile(java, Pattern.UNIX_LINES | Pattern.UNICODE_CHARACTER_CLASS);
    } catch (PatternSyntaxException e) {
      throw refuse(where, expression, e.getDescription() + " near position " + e.getIndex());
    }
  }

  private String translate() {
    while (at < source.length()) {
      char c = source.charAt(at);
      if (c == '\\') {
        escape(false);
      } else if (c == '[') {
        characterClass();
      } else if (c == '{') {
        brace();
      } else if (c == '}') {
        out.append("\\}");
        at++;
      } else if (source.startsWith("(?", at)) {
        groupPrefix();
      } else {
        out.append(c);
        at++;
      }
    }
    return out.toString();
  }

  private void escape(boolean inClass) {
    if (at + 1 == source.length()) {
      throw refuse(where, source, "a backslash at the end escapes nothing");
    }
    char c = source.charAt(at + 1);
    boolean letter = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z';
    if (letter && ESCAPES_PYTHON_KNOWS.indexOf(c) < 0) {
      throw refuse(where, source, "Python's re knows no \\" + c);
    }
    if (c == '0') {
      throw refuse(where, source, "octal escapes are not supported");
    }
    out.append(
        switch (c) {
          case 'Z' -> "\\z";
          case 'v' -> "\\x0B";
          case 'b' -> inClass ? "\\x08" : "\\b";
          default -> "\\" + c;
        });
    at += 2;
  }

  private void characterClass() {
    out.append('[');
    at++;
    if (at < source.length() && source.charAt(at) == '^') {
      out.append('^');
      at++;
    }
    if (at < source.length() && source.charAt(at) == ']') {
      out.append("\\]"); // A first bracket stands for itself in Python.
      at++;
    }
    while (at < source.length() && source.charAt(at) != ']') {
      char c = source.charAt(at);
      if (c == '\\') {
        escape(true);
        continue;
      }
      if (c == '[' || c == '&') {
        out.append('\\'); // Java would begin a nested class or an intersection.
      }
      out.append(c);
      at++;
    }
    if (at == source.length()) {
      throw refuse(where, source, "a character class is not closed");
    }
    out.append(']');
    at++;
  }

  /**
   * A brace is a quantifier only in the forms {n}, {n,}, {,n} and {n,m}; otherwise it is a
   * character.
   */
  private void brace() {
    int close = source.indexOf('}', at);
    String inside = close < 0 ? "" : source.substring(at + 1, close);
    if (!inside.matches("[0-9]+|[0-9]*,[0-9]*")) {
      out.append("\\{");
      at++;
      return;
    }
    out.append('{').append(inside.startsWith(",") ? "0" : "").append(inside).append('}');
    at = close + 1;
  }

  private void groupPrefix() {
    if (source.startsWith("(?P<", at)) {
      out.append("(?<").append(newName(nameUntil('>', at + 4))).append('>');
    } else if (source.startsWith("(?P=", at)) {
      String name = nameUntil(')', at + 4);
      if (!groupNames.containsKey(name)) {
        throw refuse(
            where, source, "there is no group named \"" + name + "\" before (?P=" + name + ")");
      }
      out.append("\\k<").append(groupNames.get(name)).append('>');
    } else if (source.startsWith("(?#", at)) {
      nameUntil(')', at + 3);
    } else if (source.startsWith("(?(", at)) {
      throw refuse(where, source, "conditional groups (?(...)...) are not supported");
    } else if (source.startsWith("(?<", at)
        && !source.startsWith("(?<=", at)
        && !source.startsWith("(?<!", at)) {
      throw refuse(where, source, "Python writes a named group as (?P<name>...)");
    } else {
      out.append("(?");
      at += 2;
    }
  }

  private String nameUntil(char end, int from) {
    int close = source.indexOf(end, from);
    if (close < 0) {
      throw refuse(where, source, "a group is not closed");
    }
    at = close + 1;
    return source.substring(from, close);
  }

  /** Java's group names have no underscore, so groups are renamed. */
  private String newName(String pythonName) {
    String name = "g" + groupNames.size();
    if (groupNames.put(pythonName, name) != null) {
      throw refuse(where, source, "the group name \"" + pythonName + "\" is used twice");
    }
    return name;
  }

  private static CheckpointException refuse(String where, String expression, String reason) {
    return invalid(
        where,
        "the pattern \"re:" + expression + "\" is not usable: " + reason,
        "Write it as Python's re.match takes it, for example re:.*self_attn.(q|k|v|o)_proj");
  }
}
