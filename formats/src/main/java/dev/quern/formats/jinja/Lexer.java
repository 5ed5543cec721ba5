package dev.quern.formats.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts a template into tokens, with {@code trim_blocks} (a block takes the line's end after it) and
 * {@code lstrip_blocks} (and the spaces before it, back to the line's start).
 *
 * <p>Source: Jinja 3.1, {@code lexer.Lexer.tokeniter}.
 */
final class Lexer {
  private static final String OPERATORS_OF_TWO = "** // == != <= >=";
  private static final String OPERATORS = "+-*/%~<>=.:,|()[]{}";
  private static final Pattern NUMBER =
      Pattern.compile("[0-9]++(_[0-9]++)*+(\\.[0-9]++(_[0-9]++)*+)?+([eE][+-]?+[0-9]++)?+");
  private static final Pattern RAW_BEGIN = Pattern.compile("\\{%[-+]?\\s*raw\\s*(-?)%\\}");
  private static final Pattern RAW_END = Pattern.compile("\\{%([-+]?)\\s*endraw\\s*([-+]?)%\\}");

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private int line = 1;
  private boolean lineStarts = true;

  private Lexer(String source) {
    this.source = source;
  }

  static List<Token> lex(String source) {
    String text = source.replace("\r\n", "\n").replace('\r', '\n');
    // A template file ends in a line's end that is not meant to be printed.
    text = text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
    Lexer lexer = new Lexer(text);
    lexer.run();
    return lexer.tokens;
  }

  private void run() {
    while (at < source.length()) {
      int begin = nextBegin();
      if (begin < 0) {
        add(Token.Kind.TEXT, source.substring(at));
        break;
      }
      text(begin);
      Matcher raw = RAW_BEGIN.matcher(source).region(begin, source.length());
      if (raw.lookingAt()) {
        raw(raw);
      } else {
        switch (source.charAt(begin + 1)) {
          case '#' -> comment();
          case '{' -> expression(Token.Kind.PRINT_BEGIN, Token.Kind.PRINT_END, "}}");
          default -> expression(Token.Kind.BLOCK_BEGIN, Token.Kind.BLOCK_END, "%}");
        }
      }
    }
    tokens.add(new Token(Token.Kind.END, "", line));
  }

  private int nextBegin() {
    for (int i = source.indexOf('{', at); i >= 0; i = source.indexOf('{', i + 1)) {
      if (i + 1 < source.length() && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return -1;
  }

  /** The text up to a begin sign, less the spaces that the sign takes. */
  private void text(int begin) {
    String text = source.substring(at, begin);
    char sign = begin + 2 < source.length() ? source.charAt(begin + 2) : ' ';
    String kept = text;
    if (sign == '-') {
      kept = Values.stripRight(text);
    } else if (sign != '+' && source.charAt(begin + 1) != '{') {
      int start = text.lastIndexOf('\n') + 1;
      if ((start > 0 || lineStarts) && Values.stripRight(text.substring(start)).isEmpty()) {
        kept = text.substring(0, start);
      }
    }
    if (!kept.isEmpty()) {
      tokens.add(new Token(Token.Kind.TEXT, kept, line));
    }
    advance(begin);
  }

  private void comment() {
    int end = source.indexOf("#}", at + 2);
    if (end < 0) {
      throw new TemplateException(line, "a comment {# has no end #}");
    }
    boolean strip = end > at + 2 && source.charAt(end - 1) == '-';
    advance(end + 2);
    afterEnd(strip, true, end - 1 > at && source.charAt(end - 1) == '+');
  }

  private void raw(Matcher begin) {
    boolean strip = !begin.group(1).isEmpty();
    advance(begin.end());
    if (strip) {
      skipSpace();
    }
    Matcher end = RAW_END.matcher(source);
    if (!end.find(at)) {
      throw new TemplateException(line, "{% raw %} has no {% endraw %}");
    }
    String text = source.substring(at, end.start());
    if (end.group(1).equals("-")) {
      text = Values.stripRight(text);
    } else if (end.group(1).isEmpty()) {
      int start = text.lastIndexOf('\n') + 1;
      if (start > 0 && Values.stripRight(text.substring(start)).isEmpty()) {
        text = text.substring(0, start);
      }
    }
    if (!text.isEmpty()) {
      tokens.add(new Token(Token.Kind.TEXT, text, line));
    }
    advance(end.end());
    afterEnd(end.group(2).equals("-"), true, end.group(2).equals("+"));
  }

  private void expression(Token.Kind begin, Token.Kind end, String endSign) {
    add(begin, "");
    int opened = line;
    at += 2;
    if (at < source.length() && "-+".indexOf(source.charAt(at)) >= 0) {
      at++;
    }
    int open = 0;
    while (true) {
      skipSpace();
      if (at >= source.length()) {
        throw new TemplateException(opened, "a block has no end " + endSign);
      }
      if (open == 0) {
        boolean signed = "-+".indexOf(source.charAt(at)) >= 0;
        if (source.startsWith(endSign, at) || signed && source.startsWith(endSign, at + 1)) {
          char sign = signed ? source.charAt(at) : ' ';
          add(end, "");
          advance(at + (signed ? 3 : 2));
          afterEnd(sign == '-', end == Token.Kind.BLOCK_END, sign == '+');
          return;
        }
      }
      open += token();
    }
  }

  /** Reads a token; gives by how many brackets it opens. */
  private int token() {
    char c = source.charAt(at);
    if (c == '\'' || c == '"') {
      string(c);
      return 0;
    }
    if (c >= '0' && c <= '9') {
      Matcher number = NUMBER.matcher(source).region(at, source.length());
      // A digit was seen, so this matches.
      number.lookingAt();
      boolean whole = number.group(2) == null && number.group(4) == null;
      add(whole ? Token.Kind.INTEGER : Token.Kind.FLOAT, number.group().replace("_", ""));
      at = number.end();
      return 0;
    }
    if (Character.isUnicodeIdentifierStart(c) || c == '_') {
      int end = at + 1;
      while (end < source.length()
          && (Character.isUnicodeIdentifierPart(source.charAt(end)) || source.charAt(end) == '_')) {
        end++;
      }
      add(Token.Kind.NAME, source.substring(at, end));
      at = end;
      return 0;
    }
    if (at + 1 < source.length()) {
      String two = source.substring(at, at + 2);
      if (!two.contains(" ") && OPERATORS_OF_TWO.contains(two)) {
        add(Token.Kind.OPERATOR, two);
        at += 2;
        return 0;
      }
    }
    if (OPERATORS.indexOf(c) < 0) {
      throw new TemplateException(line, "unexpected character '" + c + "'");
    }
    add(Token.Kind.OPERATOR, String.valueOf(c));
    at++;
    return "([{".indexOf(c) >= 0 ? 1 : ")]}".indexOf(c) >= 0 ? -1 : 0;
  }

  private void string(char quote) {
    int begun = line;
    StringBuilder value = new StringBuilder();
    int i = at + 1;
    while (true) {
      if (i >= source.length()) {
        throw new TemplateException(begun, "a string has no end");
      }
      char c = source.charAt(i);
      if (c == quote) {
        break;
      }
      if (c != '\\' || i + 1 >= source.length()) {
        value.append(c);
        i++;
        continue;
      }
      i = escape(i + 1, value);
    }
    tokens.add(new Token(Token.Kind.STRING, value.toString(), begun));
    advance(i + 1);
  }

  /** Python's escapes; an unknown one keeps its backslash. Gives the index behind it. */
  private int escape(int i, StringBuilder value) {
    char c = source.charAt(i);
    int digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits > 0) {
      int end = i + 1 + digits;
      if (end <= source.length()
          && source.substring(i + 1, end).matches("[0-9a-fA-F]+")
          && Character.isValidCodePoint(Integer.parseUnsignedInt(source, i + 1, end, 16))) {
        value.appendCodePoint(Integer.parseUnsignedInt(source, i + 1, end, 16));
        return end;
      }
      throw new TemplateException(line, "a string has a broken escape \\" + c);
    }
    switch (c) {
      case '\n' -> {}
      case 'n' -> value.append('\n');
      case 't' -> value.append('\t');
      case 'r' -> value.append('\r');
      case 'b' -> value.append('\b');
      case 'f' -> value.append('\f');
      case 'v' -> value.append('\u000b');
      case 'a' -> value.append('\u0007');
      case '0' -> value.append('\0');
      case '\\', '\'', '"' -> value.append(c);
      default -> value.append('\\').append(c);
    }
    return i + 1;
  }

  /** What an end sign takes of the text behind it. */
  private void afterEnd(boolean strip, boolean trimBlocks, boolean keep) {
    lineStarts = false;
    if (strip) {
      int before = at;
      skipSpace();
      lineStarts = at > before && source.charAt(at - 1) == '\n';
    } else if (trimBlocks && !keep && at < source.length() && source.charAt(at) == '\n') {
      advance(at + 1);
      lineStarts = true;
    }
  }

  private void skipSpace() {
    int end = at;
    while (end < source.length() && Values.isSpace(source.charAt(end))) {
      end++;
    }
    advance(end);
  }

  private void advance(int to) {
    for (; at < to; at++) {
      if (source.charAt(at) == '\n') {
        line++;
      }
    }
  }

  private void add(Token.Kind kind, String text) {
    tokens.add(new Token(kind, text, line));
  }
}
