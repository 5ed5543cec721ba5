package dev.quern.formats.json;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What a plain scalar of YAML's core schema stands for.
 *
 * <p>Source: YAML 1.2.2, section 10.3.2, "Tag Resolution".
 */
final class YamlScalar {
  private static final Set<String> NULL = Set.of("", "~", "null", "Null", "NULL");
  private static final Set<String> TRUE = Set.of("true", "True", "TRUE");
  private static final Set<String> FALSE = Set.of("false", "False", "FALSE");
  private static final Set<String> NOT_A_NUMBER = Set.of(".nan", ".NaN", ".NAN");
  private static final Pattern DECIMAL = Pattern.compile("[-+]?[0-9]{1,1000}");
  private static final Pattern OCTAL = Pattern.compile("0o[0-7]{1,1000}");
  private static final Pattern HEXADECIMAL = Pattern.compile("0x[0-9a-fA-F]{1,1000}");
  private static final Pattern FLOAT =
      Pattern.compile(
          "[-+]?(\\.[0-9]{1,1000}|[0-9]{1,1000}(\\.[0-9]{0,1000})?)([eE][-+]?[0-9]{1,6})?");
  private static final Pattern INFINITY = Pattern.compile("[-+]?\\.(inf|Inf|INF)");

  private YamlScalar() {}

  /** Null, a truth value or a number; empty when the scalar is a text. */
  static Optional<Json> value(String text) {
    if (NULL.contains(text)) {
      return Optional.of(Json.Null.NULL);
    }
    if (TRUE.contains(text) || FALSE.contains(text)) {
      return Optional.of(new Json.Bool(TRUE.contains(text)));
    }
    return number(text).map(Json.Num::new);
  }

  private static Optional<String> number(String text) {
    if (DECIMAL.matcher(text).matches()) {
      return Optional.of(new BigInteger(text).toString());
    }
    if (OCTAL.matcher(text).matches()) {
      return Optional.of(new BigInteger(text.substring(2), 8).toString());
    }
    if (HEXADECIMAL.matcher(text).matches()) {
      return Optional.of(new BigInteger(text.substring(2), 16).toString());
    }
    if (INFINITY.matcher(text).matches()) {
      return Optional.of(text.startsWith("-") ? "-Infinity" : "Infinity");
    }
    if (NOT_A_NUMBER.contains(text)) {
      return Optional.of("NaN");
    }
    return FLOAT.matcher(text).matches()
        ? Optional.of(new BigDecimal(text).toString())
        : Optional.empty();
  }
}
