package dev.quern.formats.jinja;

import dev.quern.formats.jinja.Expression.CallArguments;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Reads expressions, loosest operator first.
 *
 * <p>Source: Jinja 3.1, {@code parser.Parser.parse_expression} and what it calls.
 */
final class ExpressionParser {
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

  private final TokenStream in;

  ExpressionParser(TokenStream in) {
    this.in = in;
  }

  /** A value, or several with commas between, which make a list. */
  Expression tuple() {
    int line = in.peek().line();
    Expression first = expression();
    if (!in.peek().isOperator(",")) {
      return first;
    }
    List<Expression> items = new ArrayList<>(List.of(first));
    while (in.takeOperator(",")) {
      Token.Kind kind = in.peek().kind();
      if (kind == Token.Kind.BLOCK_END
          || kind == Token.Kind.PRINT_END
          || in.peek().isOperator(")")) {
        break;
      }
      items.add(expression());
    }
    return new Expression.Items(line, items);
  }

  Expression expression() {
    in.enter();
    Expression value = or();
    int chain = 0;
    while (in.peek().isName("if")) {
      in.checkChain(++chain);
      int line = in.take().line();
      Expression condition = or();
      Expression otherwise = in.takeName("else") ? expression() : null;
      value = new Expression.Choice(line, condition, value, otherwise);
    }
    in.leave();
    return value;
  }

  /** An expression that stops before {@code if}: the items of a loop. */
  Expression or() {
    Expression left = and();
    for (int chain = 0; in.peek().isName("or"); in.checkChain(++chain)) {
      left = new Expression.Or(in.take().line(), left, and());
    }
    return left;
  }

  private Expression and() {
    Expression left = not();
    for (int chain = 0; in.peek().isName("and"); in.checkChain(++chain)) {
      left = new Expression.And(in.take().line(), left, not());
    }
    return left;
  }

  private Expression not() {
    if (!in.peek().isName("not")) {
      return compare();
    }
    in.enter();
    Expression.Not not = new Expression.Not(in.take().line(), not());
    in.leave();
    return not;
  }

  private Expression compare() {
    int line = in.peek().line();
    Expression first = sum();
    List<String> operators = new ArrayList<>();
    List<Expression> others = new ArrayList<>();
    while (true) {
      if (in.peek().kind() == Token.Kind.OPERATOR && COMPARISONS.contains(in.peek().text())) {
        operators.add(in.take().text());
      } else if (in.takeName("in")) {
        operators.add("in");
      } else if (in.peek().isName("not") && in.ahead().isName("in")) {
        in.take();
        in.take();
        operators.add("not in");
      } else {
        break;
      }
      others.add(sum());
    }
    return operators.isEmpty() ? first : new Expression.Compare(line, first, operators, others);
  }

  private Expression sum() {
    Expression left = concat();
    for (int chain = 0; isOneOf("+", "-"); in.checkChain(++chain)) {
      Token operator = in.take();
      left = new Expression.Binary(operator.line(), operator.text(), left, concat());
    }
    return left;
  }

  private Expression concat() {
    Expression left = product();
    for (int chain = 0; isOneOf("~"); in.checkChain(++chain)) {
      left = new Expression.Binary(in.take().line(), "~", left, product());
    }
    return left;
  }

  private Expression product() {
    Expression left = power();
    for (int chain = 0; isOneOf("*", "/", "//", "%"); in.checkChain(++chain)) {
      Token operator = in.take();
      left = new Expression.Binary(operator.line(), operator.text(), left, power());
    }
    return left;
  }

  private Expression power() {
    Expression left = unary(true);
    for (int chain = 0; isOneOf("**"); in.checkChain(++chain)) {
      left = new Expression.Binary(in.take().line(), "**", left, unary(true));
    }
    return left;
  }

  private Expression unary(boolean withFilters) {
    Expression value;
    if (isOneOf("-")) {
      in.enter();
      value = new Expression.Negate(in.take().line(), unary(false));
      in.leave();
    } else if (in.takeOperator("+")) {
      in.enter();
      value = unary(false);
      in.leave();
    } else {
      value = primary();
    }
    value = postfix(value);
    return withFilters ? filters(value) : value;
  }

  private Expression primary() {
    Token token = in.take();
    int line = token.line();
    return switch (token.kind()) {
      case NAME -> name(token);
      case STRING -> {
        StringBuilder text = new StringBuilder(token.text());
        while (in.peek().kind() == Token.Kind.STRING) {
          text.append(in.take().text());
        }
        yield new Expression.Literal(line, text.toString());
      }
      case INTEGER -> new Expression.Literal(line, integer(token));
      case FLOAT -> new Expression.Literal(line, Double.parseDouble(token.text()));
      case OPERATOR ->
          switch (token.text()) {
            case "(" -> brackets(line);
            case "[" -> new Expression.Items(line, items("]"));
            case "{" -> pairs(line);
            default -> throw unexpected(token);
          };
      default -> throw unexpected(token);
    };
  }

  private static TemplateException unexpected(Token token) {
    return new TemplateException(token.line(), "expected a value, found " + token.shown());
  }

  private static Object integer(Token token) {
    try {
      return Long.parseLong(token.text());
    } catch (NumberFormatException e) {
      throw new TemplateException(token.line(), token.text() + " does not fit 64 bits");
    }
  }

  private static Expression name(Token token) {
    int line = token.line();
    return switch (token.text()) {
      case "true", "True" -> new Expression.Literal(line, true);
      case "false", "False" -> new Expression.Literal(line, false);
      case "none", "None" -> new Expression.Literal(line, None.NONE);
      default -> new Expression.Name(line, token.text());
    };
  }

  private Expression brackets(int line) {
    if (in.takeOperator(")")) {
      return new Expression.Items(line, List.of());
    }
    Expression value = tuple();
    in.expectOperator(")");
    return value;
  }

  private List<Expression> items(String end) {
    List<Expression> items = new ArrayList<>();
    while (!in.takeOperator(end)) {
      if (!items.isEmpty()) {
        in.expectOperator(",");
        if (in.takeOperator(end)) {
          break;
        }
      }
      items.add(expression());
    }
    return items;
  }

  private Expression pairs(int line) {
    List<Expression> keys = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (!in.takeOperator("}")) {
      if (!keys.isEmpty()) {
        in.expectOperator(",");
        if (in.takeOperator("}")) {
          break;
        }
      }
      keys.add(expression());
      in.expectOperator(":");
      values.add(expression());
    }
    return new Expression.Pairs(line, keys, values);
  }

  private Expression postfix(Expression start) {
    Expression value = start;
    for (int chain = 0; ; in.checkChain(++chain)) {
      int line = in.peek().line();
      if (in.takeOperator(".")) {
        Token member = in.take();
        value =
            switch (member.kind()) {
              case NAME -> new Expression.Attribute(line, value, member.text());
              case INTEGER ->
                  new Expression.Index(line, value, new Expression.Literal(line, integer(member)));
              default ->
                  throw new TemplateException(
                      line, "expected a name after '.', found " + member.shown());
            };
      } else if (in.takeOperator("[")) {
        value = subscript(line, value);
      } else if (in.peek().isOperator("(")) {
        value = new Expression.Call(line, value, arguments());
      } else {
        return value;
      }
    }
  }

  private Expression subscript(int line, Expression of) {
    Expression from = in.peek().isOperator(":") ? null : expression();
    if (in.takeOperator("]")) {
      return new Expression.Index(line, of, from);
    }
    in.expectOperator(":");
    Expression to = isOneOf(":", "]") ? null : expression();
    Expression step = null;
    if (in.takeOperator(":") && !isOneOf("]")) {
      step = expression();
    }
    in.expectOperator("]");
    return new Expression.Slice(line, of, from, to, step);
  }

  private Expression filters(Expression start) {
    Expression value = start;
    for (int chain = 0; ; in.checkChain(++chain)) {
      if (in.peek().isOperator("|")) {
        Statement.AppliedFilter filter = filter();
        value = new Expression.Filter(filter.line(), value, filter.name(), filter.arguments());
      } else if (in.peek().isName("is")) {
        value = test(value);
      } else if (in.peek().isOperator("(")) {
        value = new Expression.Call(in.peek().line(), value, arguments());
      } else {
        return value;
      }
    }
  }

  /** {@code |name} or {@code |name(...)}. */
  Statement.AppliedFilter filter() {
    in.expectOperator("|");
    return filterAfterBar();
  }

  Statement.AppliedFilter filterAfterBar() {
    Token name = in.expect(Token.Kind.NAME, "the name of a filter");
    if (!Filters.exists(name.text())) {
      throw new TemplateException(name.line(), "no filter named '" + name.text() + "'");
    }
    CallArguments arguments = in.peek().isOperator("(") ? arguments() : CallArguments.NONE;
    return new Statement.AppliedFilter(name.line(), name.text(), arguments);
  }

  private Expression test(Expression of) {
    int line = in.take().line();
    boolean negated = in.takeName("not");
    Token name = in.take();
    if (name.kind() != Token.Kind.NAME && !name.isOperator("==")) {
      throw new TemplateException(line, "expected the name of a test, found " + name.shown());
    }
    if (!ValueTests.exists(name.text())) {
      throw new TemplateException(line, "no test named '" + name.text() + "'");
    }
    CallArguments arguments = CallArguments.NONE;
    if (in.peek().isOperator("(")) {
      arguments = arguments();
    } else if (startsBareArgument(in.peek())) {
      arguments = new CallArguments(List.of(postfix(primary())), List.of(), List.of());
    }
    Expression test = new Expression.Test(line, of, name.text(), arguments);
    return negated ? new Expression.Not(line, test) : test;
  }

  private static boolean startsBareArgument(Token token) {
    return switch (token.kind()) {
      case STRING, INTEGER, FLOAT -> true;
      case OPERATOR -> token.text().equals("[") || token.text().equals("{");
      case NAME -> !Set.of("else", "or", "and", "if", "is", "in", "not").contains(token.text());
      default -> false;
    };
  }

  private CallArguments arguments() {
    in.expectOperator("(");
    in.enter();
    List<Expression> positional = new ArrayList<>();
    List<String> names = new ArrayList<>();
    List<Expression> named = new ArrayList<>();
    boolean first = true;
    while (!in.takeOperator(")")) {
      if (!first) {
        in.expectOperator(",");
        if (in.takeOperator(")")) {
          break;
        }
      }
      first = false;
      if (in.peek().kind() == Token.Kind.NAME && in.ahead().isOperator("=")) {
        names.add(in.take().text());
        in.take();
        named.add(expression());
      } else if (names.isEmpty()) {
        positional.add(expression());
      } else {
        throw in.expected("NAME=VALUE after another one");
      }
    }
    in.leave();
    return new CallArguments(positional, names, named);
  }

  private boolean isOneOf(String... operators) {
    for (String operator : operators) {
      if (in.peek().isOperator(operator)) {
        return true;
      }
    }
    return false;
  }
}
