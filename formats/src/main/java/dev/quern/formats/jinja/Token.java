package dev.quern.formats.jinja;

/**
 * A piece of a template.
 *
 * @param kind what it is
 * @param text text to print, a name, an operator, a number's digits, or a string's value
 * @param line its line, from 1
 */
record Token(Kind kind, String text, int line) {
  enum Kind {
    TEXT,
    PRINT_BEGIN,
    PRINT_END,
    BLOCK_BEGIN,
    BLOCK_END,
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    END
  }

  boolean isOperator(String operator) {
    return kind == Kind.OPERATOR && text.equals(operator);
  }

  boolean isName(String name) {
    return kind == Kind.NAME && text.equals(name);
  }

  /** For messages. */
  String shown() {
    return switch (kind) {
      case TEXT -> "text";
      case PRINT_BEGIN -> "{{";
      case PRINT_END -> "}}";
      case BLOCK_BEGIN -> "{%";
      case BLOCK_END -> "%}";
      case END -> "the end of the template";
      case STRING -> "a string";
      default -> "'" + text + "'";
    };
  }
}
