package dev.quern.formats.jinja;

import dev.quern.formats.jinja.Expression.CallArguments;
import java.util.List;

/** What prints, decides, repeats or names. */
sealed interface Statement {

  record Body(List<Statement> statements) implements Statement {}

  record Text(String text) implements Statement {}

  record Print(Expression value) implements Statement {}

  /** The first branch whose condition holds, else {@code otherwise}. */
  record If(List<Expression> conditions, List<Body> branches, Body otherwise)
      implements Statement {}

  /** {@code condition} may be null. */
  record For(
      int line,
      List<String> targets,
      Expression items,
      Expression condition,
      Body body,
      Body otherwise)
      implements Statement {}

  record Set(int line, List<String> targets, Expression value) implements Statement {}

  record SetMember(int line, String namespace, String member, Expression value)
      implements Statement {}

  /** {@code set name} with a block; {@code filters} are applied to its text in turn. */
  record SetBlock(int line, String target, List<AppliedFilter> filters, Body body)
      implements Statement {}

  record FilterBlock(int line, List<AppliedFilter> filters, Body body) implements Statement {}

  record Macro(int line, String name, List<String> parameters, List<Expression> defaults, Body body)
      implements Statement {}

  record With(int line, List<String> names, List<Expression> values, Body body)
      implements Statement {}

  enum Jump implements Statement {
    BREAK,
    CONTINUE
  }

  /** A filter without the value it is for. */
  record AppliedFilter(int line, String name, CallArguments arguments) {}
}
