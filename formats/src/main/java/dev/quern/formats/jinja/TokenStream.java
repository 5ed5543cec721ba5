package dev.quern.formats.jinja;

import java.util.List;

/** Tokens, one ahead, and how deep the parser is in them. */
final class TokenStream {
  /** The deepest nesting, and the longest chain of operators, that is read. */
  private static final int MAX_DEPTH = 200;

  private final List<Token> tokens;
  private int next;
  private int depth;

  TokenStream(List<Token> tokens) {
    this.tokens = tokens;
  }

  Token peek() {
    return tokens.get(next);
  }

  Token ahead() {
    return tokens.get(Math.min(next + 1, tokens.size() - 1));
  }

  Token take() {
    Token token = peek();
    if (token.kind() != Token.Kind.END) {
      next++;
    }
    return token;
  }

  boolean takeOperator(String operator) {
    boolean there = peek().isOperator(operator);
    if (there) {
      take();
    }
    return there;
  }

  boolean takeName(String name) {
    boolean there = peek().isName(name);
    if (there) {
      take();
    }
    return there;
  }

  void expectOperator(String operator) {
    if (!takeOperator(operator)) {
      throw expected("'" + operator + "'");
    }
  }

  Token expect(Token.Kind kind, String what) {
    if (peek().kind() != kind) {
      throw expected(what);
    }
    return take();
  }

  TemplateException expected(String what) {
    return new TemplateException(peek().line(), "expected " + what + ", found " + peek().shown());
  }

  void enter() {
    checkChain(++depth);
  }

  void leave() {
    depth--;
  }

  /** Trees are walked by recursion, so neither depth nor chains may be without end. */
  void checkChain(int length) {
    if (length > MAX_DEPTH) {
      throw new TemplateException(
          peek().line(), "nested deeper, or chained longer, than " + MAX_DEPTH);
    }
  }
}
