package dev.quern.formats.target.selection;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * What conditions may ask for, by name. Values are numbers ({@code Long}), words, {@code Boolean}s
 * or sets of words; a fact that is not there is {@link #NONE}.
 */
final class Facts {
  /** The value of a fact that is not there. */
  static final String NONE = "none";

  /** Environment variables are facts with this beginning. */
  static final String ENVIRONMENT = "env.";

  // Target; what runs there; the model; the layer, n and k as one rank has them; experts; how the
  // layer is quantized; and what has been chosen so far.
  private static final Set<String> NAMES =
      Set.of(
          "platform", "capability", "family", "features", "packages", "linearBackend",
          "moeBackend", "dtype", "modelDtype", "modelType", "tp", "ep", "role", "n", "k", "fullN",
          "fullK", "splitN", "splitK", "parts", "partsGcd", "partsGcdButLast", "hidden",
          "intermediate", "sameSchemes", "wType", "wBits", "wStrategy", "wGroup", "wSymmetric",
          "wDynamic", "wScale", "blockRows", "blockColumns", "iType", "iBits", "iStrategy",
          "iGroup", "iSymmetric", "iDynamic", "oType", "oBits", "oStrategy", "oDynamic", "format",
          "gIdx", "sparsity", "scheme", "code", "groupSize", "perWord", "kernel", "mode", "wrongTp");

  private final Map<String, Object> values;

  Facts() {
    this(new HashMap<>());
  }

  private Facts(Map<String, Object> values) {
    this.values = values;
  }

  static boolean isKnown(String name) {
    return NAMES.contains(name) || name.startsWith(ENVIRONMENT);
  }

  Facts copy() {
    return new Facts(new HashMap<>(values));
  }

  Facts set(String name, Object value) {
    if (!isKnown(name)) {
      throw new IllegalArgumentException("no such fact: " + name);
    }
    values.put(name, value instanceof Integer i ? Long.valueOf(i) : value);
    return this;
  }

  Object value(String name) {
    return values.getOrDefault(name, NONE);
  }

  /** The value in words; of sets the words in order. */
  String text(String name) {
    Object value = value(name);
    return value instanceof Set<?> set
        ? set.isEmpty() ? "empty" : String.join(" ", set.stream().map(Object::toString).sorted().toList())
        : String.valueOf(value);
  }
}
