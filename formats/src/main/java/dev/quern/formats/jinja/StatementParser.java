package dev.quern.formats.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Reads statements.
 *
 * <p>Source: Jinja 3.1, {@code parser.Parser}; {@code break} and {@code continue} are {@code
 * jinja2.ext.loopcontrols}, {@code generation} is transformers' mark of what the model said.
 */
final class StatementParser {
  private static final Set<String> LEFT_OUT =
      Set.of("include", "import", "from", "extends", "block", "call", "autoescape", "do");

  private final TokenStream in;
  private final ExpressionParser expressions;
  private int loops;

  StatementParser(List<Token> tokens) {
    this.in = new TokenStream(tokens);
    this.expressions = new ExpressionParser(in);
  }

  Statement.Body template() {
    Statement.Body body = body(Set.of());
    if (in.peek().kind() != Token.Kind.END) {
      throw in.expected("the end of the template");
    }
    return body;
  }

  /** Statements up to a block that begins with one of these names, which is not taken. */
  private Statement.Body body(Set<String> ends) {
    in.enter();
    List<Statement> statements = new ArrayList<>();
    while (true) {
      Token token = in.peek();
      switch (token.kind()) {
        case TEXT -> statements.add(new Statement.Text(in.take().text()));
        case PRINT_BEGIN -> {
          in.take();
          statements.add(new Statement.Print(expressions.tuple()));
          in.expect(Token.Kind.PRINT_END, "}}");
        }
        case BLOCK_BEGIN -> {
          Token name = in.ahead();
          if (name.kind() == Token.Kind.NAME && ends.contains(name.text())) {
            in.leave();
            return new Statement.Body(statements);
          }
          in.take();
          statements.add(statement());
        }
        case END -> {
          if (!ends.isEmpty()) {
            throw in.expected("one of {% " + String.join(" %}, {% ", sorted(ends)) + " %}");
          }
          in.leave();
          return new Statement.Body(statements);
        }
        default -> throw in.expected("text or a block");
      }
    }
  }

  private static List<String> sorted(Set<String> names) {
    return names.stream().sorted().toList();
  }

  private Statement statement() {
    Token name = in.expect(Token.Kind.NAME, "the name of a statement");
    int line = name.line();
    switch (name.text()) {
      case "if" -> {
        return ifStatement();
      }
      case "for" -> {
        return forStatement(line);
      }
      case "set" -> {
        return set(line);
      }
      case "macro" -> {
        return macro(line);
      }
      case "with" -> {
        return with(line);
      }
      case "filter" -> {
        List<Statement.AppliedFilter> filters =
            filters(new ArrayList<>(List.of(expressions.filterAfterBar())));
        return new Statement.FilterBlock(line, filters, block("endfilter"));
      }
      case "generation" -> {
        return block("endgeneration");
      }
      case "break", "continue" -> {
        if (loops == 0) {
          throw new TemplateException(line, "'" + name.text() + "' outside of a loop");
        }
        endOfBlock();
        return name.text().equals("break") ? Statement.Jump.BREAK : Statement.Jump.CONTINUE;
      }
      default ->
          throw new TemplateException(
              line,
              LEFT_OUT.contains(name.text())
                  ? "{% " + name.text() + " %} is not supported in chat templates"
                  : "no statement named '" + name.text() + "'");
    }
  }

  private void endOfBlock() {
    in.expect(Token.Kind.BLOCK_END, "%}");
  }

  /** The rest of a block's first line, its body, and its last line. */
  private Statement.Body block(String end) {
    endOfBlock();
    Statement.Body body = body(Set.of(end));
    takeEnd();
    return body;
  }

  private void takeEnd() {
    in.take();
    in.take();
    endOfBlock();
  }

  private Statement ifStatement() {
    List<Expression> conditions = new ArrayList<>();
    List<Statement.Body> branches = new ArrayList<>();
    while (true) {
      conditions.add(expressions.tuple());
      endOfBlock();
      branches.add(body(Set.of("elif", "else", "endif")));
      in.take();
      String end = in.take().text();
      if (end.equals("elif")) {
        continue;
      }
      if (end.equals("endif")) {
        endOfBlock();
        return new Statement.If(conditions, branches, new Statement.Body(List.of()));
      }
      return new Statement.If(conditions, branches, block("endif"));
    }
  }

  private Statement forStatement(int line) {
    List<String> targets = targets();
    if (!in.takeName("in")) {
      throw in.expected("'in'");
    }
    Expression items = expressions.or();
    Expression condition = in.takeName("if") ? expressions.expression() : null;
    if (in.peek().isName("recursive")) {
      throw new TemplateException(line, "recursive loops are not supported in chat templates");
    }
    endOfBlock();
    loops++;
    Statement.Body body = body(Set.of("else", "endfor"));
    loops--;
    in.take();
    Statement.Body otherwise = new Statement.Body(List.of());
    if (in.take().text().equals("else")) {
      otherwise = block("endfor");
    } else {
      endOfBlock();
    }
    return new Statement.For(line, targets, items, condition, body, otherwise);
  }

  private List<String> targets() {
    boolean brackets = in.takeOperator("(");
    List<String> targets = new ArrayList<>();
    do {
      targets.add(in.expect(Token.Kind.NAME, "a name").text());
    } while (in.takeOperator(","));
    if (brackets) {
      in.expectOperator(")");
    }
    return targets;
  }

  private Statement set(int line) {
    if (in.ahead().isOperator(".")) {
      String namespace = in.expect(Token.Kind.NAME, "a name").text();
      in.take();
      String member = in.expect(Token.Kind.NAME, "a name").text();
      in.expectOperator("=");
      Expression value = expressions.tuple();
      endOfBlock();
      return new Statement.SetMember(line, namespace, member, value);
    }
    List<String> targets = targets();
    if (in.takeOperator("=")) {
      Expression value = expressions.tuple();
      endOfBlock();
      return new Statement.Set(line, targets, value);
    }
    if (targets.size() > 1) {
      throw in.expected("'='");
    }
    List<Statement.AppliedFilter> filters = filters(new ArrayList<>());
    return new Statement.SetBlock(line, targets.getFirst(), filters, block("endset"));
  }

  private List<Statement.AppliedFilter> filters(List<Statement.AppliedFilter> filters) {
    while (in.peek().isOperator("|")) {
      filters.add(expressions.filter());
    }
    return filters;
  }

  private Statement macro(int line) {
    String name = in.expect(Token.Kind.NAME, "a name").text();
    in.expectOperator("(");
    List<String> parameters = new ArrayList<>();
    List<Expression> defaults = new ArrayList<>();
    while (!in.takeOperator(")")) {
      if (!parameters.isEmpty()) {
        in.expectOperator(",");
      }
      parameters.add(in.expect(Token.Kind.NAME, "a parameter").text());
      defaults.add(in.takeOperator("=") ? expressions.expression() : null);
    }
    int outer = loops;
    loops = 0;
    Statement.Body body = block("endmacro");
    loops = outer;
    return new Statement.Macro(line, name, parameters, defaults, body);
  }

  private Statement with(int line) {
    List<String> names = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (in.peek().kind() != Token.Kind.BLOCK_END) {
      if (!names.isEmpty()) {
        in.expectOperator(",");
      }
      names.add(in.expect(Token.Kind.NAME, "a name").text());
      in.expectOperator("=");
      values.add(expressions.expression());
    }
    return new Statement.With(line, names, values, block("endwith"));
  }
}
