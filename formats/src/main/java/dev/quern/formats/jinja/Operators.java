package dev.quern.formats.jinja;

import java.util.ArrayList;
import java.util.List;

/** Python's arithmetic, as far as templates use it: 64-bit whole numbers, doubles, joins. */
final class Operators {
  private Operators() {}

  static Object apply(int line, String operator, Object a, Object b) {
    if (operator.equals("~")) {
      return joined(line, PythonText.str(line, a), PythonText.str(line, b));
    }
    Number x = Values.number(a);
    Number y = Values.number(b);
    if (x != null && y != null) {
      try {
        return x instanceof Long && y instanceof Long
            ? whole(operator, x.longValue(), y.longValue())
            : decimal(operator, x.doubleValue(), y.doubleValue());
      } catch (ArithmeticException e) {
        throw new TemplateException(
            line, a + " " + operator + " " + b + " has no value of 64 bits");
      }
    }
    if (operator.equals("+")) {
      if (a instanceof String left && b instanceof String right) {
        return joined(line, left, right);
      }
      if (a instanceof List<?> left && b instanceof List<?> right) {
        List<Object> both = new ArrayList<>(left);
        both.addAll(right);
        return both;
      }
    }
    if (operator.equals("*") && a instanceof String text && y instanceof Long times) {
      return repeated(line, text, times);
    }
    if (operator.equals("*") && b instanceof String text && x instanceof Long times) {
      return repeated(line, text, times);
    }
    throw new TemplateException(
        line, "'" + operator + "' does not go with " + Values.kind(a) + " and " + Values.kind(b));
  }

  private static String joined(int line, String a, String b) {
    if ((long) a.length() + b.length() > Template.MAX_OUTPUT) {
      throw new TemplateException(line, "a string grows too long");
    }
    return a + b;
  }

  private static String repeated(int line, String text, long times) {
    if (times > 0 && text.length() > Template.MAX_OUTPUT / times) {
      throw new TemplateException(line, "a string grows too long");
    }
    return text.repeat(Math.clamp(times, 0, Template.MAX_OUTPUT));
  }

  private static Object whole(String operator, long x, long y) {
    return switch (operator) {
      case "+" -> Math.addExact(x, y);
      case "-" -> Math.subtractExact(x, y);
      case "*" -> Math.multiplyExact(x, y);
      case "/" -> quotient(x, y);
      case "//" -> Math.floorDivExact(x, y);
      case "%" -> Math.floorMod(x, y);
      case "**" -> y < 0 ? (Object) Math.pow(x, y) : (Object) power(x, y);
      default -> throw new IllegalStateException(operator);
    };
  }

  private static long power(long x, long y) {
    if (Math.abs(x) > 1 && y > 64) {
      throw new ArithmeticException();
    }
    long result = 1;
    long times = Math.abs(x) <= 1 ? y % 2 + (y > 0 ? 2 : 0) : y;
    for (long i = 0; i < times; i++) {
      result = Math.multiplyExact(result, x);
    }
    return result;
  }

  private static Object decimal(String operator, double x, double y) {
    return switch (operator) {
      case "+" -> x + y;
      case "-" -> x - y;
      case "*" -> x * y;
      case "/" -> quotient(x, y);
      case "//" -> Math.floor(quotient(x, y));
      case "%" -> x - Math.floor(quotient(x, y)) * y;
      case "**" -> Math.pow(x, y);
      default -> throw new IllegalStateException(operator);
    };
  }

  private static double quotient(double x, double y) {
    if (y == 0) {
      throw new ArithmeticException();
    }
    return x / y;
  }
}
