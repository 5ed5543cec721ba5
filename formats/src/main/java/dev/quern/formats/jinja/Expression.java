package dev.quern.formats.jinja;

import java.util.List;

/** What has a value. */
sealed interface Expression {
  int line();

  record Literal(int line, Object value) implements Expression {}

  record Name(int line, String name) implements Expression {}

  record Items(int line, List<Expression> items) implements Expression {}

  record Pairs(int line, List<Expression> keys, List<Expression> values) implements Expression {}

  record Attribute(int line, Expression of, String name) implements Expression {}

  record Index(int line, Expression of, Expression index) implements Expression {}

  /** {@code of[from:to:step]}; any of the three may be null. */
  record Slice(int line, Expression of, Expression from, Expression to, Expression step)
      implements Expression {}

  record Call(int line, Expression function, CallArguments arguments) implements Expression {}

  record Filter(int line, Expression of, String name, CallArguments arguments)
      implements Expression {}

  record Test(int line, Expression of, String name, CallArguments arguments)
      implements Expression {}

  record Not(int line, Expression of) implements Expression {}

  record Negate(int line, Expression of) implements Expression {}

  record And(int line, Expression left, Expression right) implements Expression {}

  record Or(int line, Expression left, Expression right) implements Expression {}

  record Binary(int line, String operator, Expression left, Expression right)
      implements Expression {}

  /** {@code first op second op third}: true when each neighbour pair is. */
  record Compare(int line, Expression first, List<String> operators, List<Expression> others)
      implements Expression {}

  /** {@code then if condition else otherwise}; {@code otherwise} may be null. */
  record Choice(int line, Expression condition, Expression then, Expression otherwise)
      implements Expression {}

  /** What stands between the brackets of a call. */
  record CallArguments(List<Expression> positional, List<String> names, List<Expression> named) {
    static final CallArguments NONE = new CallArguments(List.of(), List.of(), List.of());
  }
}
