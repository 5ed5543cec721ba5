package dev.quern.formats.jinja;

import dev.quern.formats.jinja.Expression.CallArguments;
import dev.quern.formats.json.Json;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One rendering. Names set in a loop are forgotten at the end of each turn, as in Jinja. */
final class Interpreter {
  private static final int MAX_CALLS = 50;

  private static final class Scope {
    private final Scope outer;
    private final Map<String, Object> names = new HashMap<>();

    Scope(Scope outer) {
      this.outer = outer;
    }

    Object find(String name) {
      for (Scope scope = this; scope != null; scope = scope.outer) {
        Object value = scope.names.get(name);
        if (value != null) {
          return value;
        }
      }
      return null;
    }
  }

  private enum Flow {
    ON,
    BREAK,
    CONTINUE
  }

  private Scope scope = new Scope(null);
  private StringBuilder out = new StringBuilder();
  private long steps;
  private int calls;

  Interpreter(Map<String, ? extends Json> variables) {
    scope.names.putAll(Globals.ALL);
    variables.forEach((name, value) -> scope.names.put(name, Values.of(value)));
  }

  String run(Statement.Body body) {
    execute(body);
    return out.toString();
  }

  /** Counts work; strings that are made count by their length. */
  private void charge(int line, long work) {
    steps += work;
    if (steps > Template.MAX_STEPS) {
      throw new TemplateException(line, "the template takes more than its share of work");
    }
  }

  private Object charged(int line, Object value) {
    charge(
        line,
        switch (value) {
          case String text -> 1 + text.length() / 16;
          case List<?> list -> 1 + list.size();
          default -> 1;
        });
    return value;
  }

  private Flow execute(Statement.Body body) {
    for (Statement statement : body.statements()) {
      Flow flow = execute(statement);
      if (flow != Flow.ON) {
        return flow;
      }
    }
    return Flow.ON;
  }

  private Flow execute(Statement statement) {
    switch (statement) {
      case Statement.Text text -> print(0, text.text());
      case Statement.Print print ->
          print(
              print.value().line(), PythonText.str(print.value().line(), evaluate(print.value())));
      case Statement.Body body -> {
        return execute(body);
      }
      case Statement.If choice -> {
        for (int i = 0; i < choice.conditions().size(); i++) {
          if (Values.truth(evaluate(choice.conditions().get(i)))) {
            return execute(choice.branches().get(i));
          }
        }
        return execute(choice.otherwise());
      }
      case Statement.For loop -> {
        return execute(loop);
      }
      case Statement.Set set -> assign(set.line(), set.targets(), evaluate(set.value()));
      case Statement.SetMember set -> {
        if (!(scope.find(set.namespace()) instanceof Namespace namespace)) {
          throw new TemplateException(set.line(), "'" + set.namespace() + "' is no namespace");
        }
        namespace.members().put(set.member(), evaluate(set.value()));
      }
      case Statement.SetBlock set ->
          scope.names.put(
              set.target(), filtered(captured(set.body(), new Scope(scope)), set.filters()));
      case Statement.FilterBlock block ->
          print(
              block.line(),
              PythonText.str(
                  block.line(),
                  filtered(captured(block.body(), new Scope(scope)), block.filters())));
      case Statement.Macro macro -> scope.names.put(macro.name(), callable(macro, scope));
      case Statement.With with -> {
        Scope inner = new Scope(scope);
        for (int i = 0; i < with.names().size(); i++) {
          inner.names.put(with.names().get(i), evaluate(with.values().get(i)));
        }
        Scope outer = scope;
        scope = inner;
        Flow flow = execute(with.body());
        scope = outer;
        return flow;
      }
      case Statement.Jump jump -> {
        return jump == Statement.Jump.BREAK ? Flow.BREAK : Flow.CONTINUE;
      }
    }
    return Flow.ON;
  }

  private void print(int line, String text) {
    charge(line, 1);
    if (out.length() + text.length() > Template.MAX_OUTPUT) {
      throw new TemplateException(
          line, "the text is longer than " + Template.MAX_OUTPUT + " characters");
    }
    out.append(text);
  }

  /** What a body prints, as a string. */
  private String captured(Statement.Body body, Scope inner) {
    StringBuilder outerOut = out;
    Scope outerScope = scope;
    out = new StringBuilder();
    scope = inner;
    execute(body);
    String text = out.toString();
    out = outerOut;
    scope = outerScope;
    return text;
  }

  private Object filtered(String text, List<Statement.AppliedFilter> filters) {
    Object value = text;
    for (Statement.AppliedFilter filter : filters) {
      value =
          charged(
              filter.line(),
              Filters.apply(filter.name(), value, arguments(filter.line(), filter.arguments())));
    }
    return value;
  }

  private void assign(int line, List<String> targets, Object value) {
    if (targets.size() == 1) {
      scope.names.put(targets.getFirst(), value);
      return;
    }
    List<?> items = Values.items(line, value);
    if (items.size() != targets.size()) {
      throw new TemplateException(
          line, "expected " + targets.size() + " values for as many names, found " + items.size());
    }
    for (int i = 0; i < items.size(); i++) {
      scope.names.put(targets.get(i), items.get(i));
    }
  }

  private Flow execute(Statement.For loop) {
    Scope outer = scope;
    List<Object> items = new ArrayList<>(Values.items(loop.line(), evaluate(loop.items())));
    charge(loop.line(), items.size());
    if (loop.condition() != null) {
      items.removeIf(
          item -> {
            scope = new Scope(outer);
            assign(loop.line(), loop.targets(), item);
            return !Values.truth(evaluate(loop.condition()));
          });
      scope = outer;
    }
    if (items.isEmpty()) {
      scope = new Scope(outer);
      Flow flow = execute(loop.otherwise());
      scope = outer;
      return flow;
    }
    for (int i = 0; i < items.size(); i++) {
      charge(loop.line(), 1);
      scope = new Scope(outer);
      assign(loop.line(), loop.targets(), items.get(i));
      scope.names.put("loop", state(items, i));
      if (execute(loop.body()) == Flow.BREAK) {
        break;
      }
    }
    scope = outer;
    return Flow.ON;
  }

  private static Map<Object, Object> state(List<Object> items, int index) {
    Map<Object, Object> loop = new LinkedHashMap<>();
    int last = items.size() - 1;
    loop.put("index", index + 1L);
    loop.put("index0", (long) index);
    loop.put("revindex", last - index + 1L);
    loop.put("revindex0", (long) last - index);
    loop.put("first", index == 0);
    loop.put("last", index == last);
    loop.put("length", (long) items.size());
    loop.put("previtem", index > 0 ? items.get(index - 1) : new Undefined("loop.previtem"));
    loop.put("nextitem", index < last ? items.get(index + 1) : new Undefined("loop.nextitem"));
    Callable cycle =
        arguments -> {
          if (arguments.positional().isEmpty()) {
            throw arguments.error("cycle() takes at least one value");
          }
          return arguments.positional().get(index % arguments.positional().size());
        };
    loop.put("cycle", cycle);
    return loop;
  }

  private Callable callable(Statement.Macro macro, Scope definedIn) {
    return arguments -> {
      if (++calls > MAX_CALLS) {
        throw arguments.error("macros call each other more than " + MAX_CALLS + " deep");
      }
      Object[] bound = arguments.bind(macro.name(), macro.parameters().toArray(String[]::new));
      Scope inner = new Scope(definedIn);
      Scope caller = scope;
      scope = inner;
      for (int i = 0; i < bound.length; i++) {
        String name = macro.parameters().get(i);
        Expression byDefault = macro.defaults().get(i);
        Object value =
            bound[i] != null
                ? bound[i]
                : byDefault != null ? evaluate(byDefault) : new Undefined(name);
        inner.names.put(name, value);
      }
      scope = caller;
      String text = captured(macro.body(), inner);
      calls--;
      return text;
    };
  }

  private Object evaluate(Expression expression) {
    int line = expression.line();
    charge(line, 1);
    return switch (expression) {
      case Expression.Literal literal -> literal.value();
      case Expression.Name name -> {
        Object value = scope.find(name.name());
        yield value == null ? new Undefined(name.name()) : value;
      }
      case Expression.Items items -> {
        List<Object> values = new ArrayList<>();
        items.items().forEach(item -> values.add(evaluate(item)));
        yield values;
      }
      case Expression.Pairs pairs -> pairs(pairs);
      case Expression.Attribute attribute ->
          Values.attribute(line, evaluate(attribute.of()), attribute.name());
      case Expression.Index index ->
          Values.index(line, evaluate(index.of()), evaluate(index.index()));
      case Expression.Slice slice ->
          charged(
              line,
              Values.slice(
                  line,
                  evaluate(slice.of()),
                  bound(slice.from()),
                  bound(slice.to()),
                  bound(slice.step())));
      case Expression.Call call -> charged(line, call(call));
      case Expression.Filter filter ->
          charged(
              line,
              Filters.apply(
                  filter.name(), evaluate(filter.of()), arguments(line, filter.arguments())));
      case Expression.Test test ->
          ValueTests.apply(test.name(), evaluate(test.of()), arguments(line, test.arguments()));
      case Expression.Not not -> !Values.truth(evaluate(not.of()));
      case Expression.Negate negate -> Operators.apply(line, "-", 0L, evaluate(negate.of()));
      case Expression.And and -> {
        Object left = evaluate(and.left());
        yield Values.truth(left) ? evaluate(and.right()) : left;
      }
      case Expression.Or or -> {
        Object left = evaluate(or.left());
        yield Values.truth(left) ? left : evaluate(or.right());
      }
      case Expression.Binary binary ->
          charged(
              line,
              Operators.apply(
                  line, binary.operator(), evaluate(binary.left()), evaluate(binary.right())));
      case Expression.Compare compare -> compare(compare);
      case Expression.Choice choice ->
          Values.truth(evaluate(choice.condition()))
              ? evaluate(choice.then())
              : choice.otherwise() == null
                  ? new Undefined("the other value of a choice")
                  : evaluate(choice.otherwise());
    };
  }

  private Object pairs(Expression.Pairs pairs) {
    Map<Object, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < pairs.keys().size(); i++) {
      Object key = evaluate(pairs.keys().get(i));
      if (!(key instanceof String || key instanceof Long || key instanceof Boolean)) {
        throw new TemplateException(pairs.line(), Values.kind(key) + " cannot be a key");
      }
      map.put(key, evaluate(pairs.values().get(i)));
    }
    return map;
  }

  private Long bound(Expression expression) {
    if (expression == null) {
      return null;
    }
    Object value = evaluate(expression);
    if (value == None.NONE) {
      return null;
    }
    if (Values.number(value) instanceof Long number) {
      return number;
    }
    throw new TemplateException(
        expression.line(), "a slice takes whole numbers, found " + Values.kind(value));
  }

  private Object call(Expression.Call call) {
    Object function = evaluate(call.function());
    if (function instanceof Callable callable) {
      return callable.call(arguments(call.line(), call.arguments()));
    }
    String name =
        switch (call.function()) {
          case Expression.Attribute attribute -> "." + attribute.name();
          case Expression.Name named -> named.name();
          default -> "a value";
        };
    throw new TemplateException(
        call.line(), name + "() is no function here (" + Values.kind(function) + " was called)");
  }

  private Arguments arguments(int line, CallArguments given) {
    List<Object> positional = new ArrayList<>();
    given.positional().forEach(argument -> positional.add(evaluate(argument)));
    Map<String, Object> named = new LinkedHashMap<>();
    for (int i = 0; i < given.names().size(); i++) {
      named.put(given.names().get(i), evaluate(given.named().get(i)));
    }
    return new Arguments(line, positional, named);
  }

  private boolean compare(Expression.Compare compare) {
    Object left = evaluate(compare.first());
    for (int i = 0; i < compare.operators().size(); i++) {
      Object right = evaluate(compare.others().get(i));
      if (!ValueTests.compare(compare.line(), compare.operators().get(i), left, right)) {
        return false;
      }
      left = right;
    }
    return true;
  }
}
