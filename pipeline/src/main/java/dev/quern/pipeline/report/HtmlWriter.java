package dev.quern.pipeline.report;

import java.util.ArrayDeque;
import java.util.Deque;

/** Elements, attributes and text, everything escaped; a document made with it is well-formed. */
final class HtmlWriter {
  private final StringBuilder text = new StringBuilder();
  private final Deque<String> open = new ArrayDeque<>();

  /** Begins an element. */
  HtmlWriter open(String name, String... attributes) {
    begin(name, attributes);
    text.append('>');
    open.push(name);
    return this;
  }

  /** Ends the element that was begun last. */
  HtmlWriter close() {
    String name = open.pop();
    text.append("</").append(name).append('>');
    if (!name.equals("b") && !name.equals("a") && !name.equals("span")) {
      text.append('\n');
    }
    return this;
  }

  /** An element with text. */
  HtmlWriter element(String name, String content, String... attributes) {
    return open(name, attributes).text(content).close();
  }

  /** An element without content. */
  HtmlWriter empty(String name, String... attributes) {
    begin(name, attributes);
    text.append("/>\n");
    return this;
  }

  private void begin(String name, String... attributes) {
    text.append('<').append(name);
    for (int i = 0; i < attributes.length; i += 2) {
      text.append(' ').append(attributes[i]).append("=\"");
      text(attributes[i + 1]);
      text.append('"');
    }
  }

  /** Text; characters that XML does not allow become U+FFFD. */
  HtmlWriter text(String content) {
    content
        .codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '&' -> text.append("&amp;");
                case '<' -> text.append("&lt;");
                case '>' -> text.append("&gt;");
                case '"' -> text.append("&quot;");
                default -> text.appendCodePoint(allowed(c) ? c : 0xFFFD);
              }
            });
    return this;
  }

  private static boolean allowed(int c) {
    return c == '\t'
        || c == '\n'
        || c >= ' ' && c < Character.MIN_SURROGATE
        || c > Character.MAX_SURROGATE && c < 0xFFFE
        || c > 0xFFFF;
  }

  /** Text of our own that needs no escaping. */
  HtmlWriter raw(String content) {
    text.append(content);
    return this;
  }

  @Override
  public String toString() {
    if (!open.isEmpty()) {
      throw new IllegalStateException("not closed: " + open);
    }
    return text.toString();
  }
}
