package dev.quern.formats.json;

import java.math.BigDecimal;
import java.math.MathContext;

/**
 * How Python's {@code repr} writes a double: the shortest digits that round-trip, positional while
 * the decimal exponent is in [-4, 16), else with an exponent of at least two digits.
 */
final class PythonFloat {
  private PythonFloat() {}

  static String repr(double value) {
    if (Double.isNaN(value)) {
      return "NaN";
    }
    if (Double.isInfinite(value)) {
      return value > 0 ? "Infinity" : "-Infinity";
    }
    if (value == 0) {
      return 1 / value < 0 ? "-0.0" : "0.0";
    }
    // Double.toString has given the shortest digits since JDK 19; only the layout differs.
    BigDecimal decimal = new BigDecimal(Double.toString(Math.abs(value))).stripTrailingZeros();
    if (decimal.precision() == 2) {
      // Double.toString never gives fewer than two digits: 4.9E-324 where one digit, 5e-324, will
      // do.
      BigDecimal oneDigit = decimal.round(new MathContext(1)).stripTrailingZeros();
      decimal = oneDigit.doubleValue() == Math.abs(value) ? oneDigit : decimal;
    }
    String digits = decimal.unscaledValue().toString();
    int exponent = digits.length() - 1 - decimal.scale();
    String sign = value < 0 ? "-" : "";
    return sign
        + (exponent >= -4 && exponent < 16
            ? positional(digits, exponent)
            : scientific(digits, exponent));
  }

  private static String positional(String digits, int exponent) {
    if (exponent < 0) {
      return "0." + "0".repeat(-exponent - 1) + digits;
    }
    int whole = exponent + 1;
    if (digits.length() <= whole) {
      return digits + "0".repeat(whole - digits.length()) + ".0";
    }
    return digits.substring(0, whole) + "." + digits.substring(whole);
  }

  private static String scientific(String digits, int exponent) {
    String mantissa = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
    String size = Integer.toString(Math.abs(exponent));
    return mantissa + "e" + (exponent < 0 ? "-" : "+") + (size.length() < 2 ? "0" : "") + size;
  }
}
