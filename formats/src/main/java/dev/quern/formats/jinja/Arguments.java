package dev.quern.formats.jinja;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * What a call passes.
 *
 * @param line where the call stands
 */
record Arguments(int line, List<Object> positional, Map<String, Object> named) {

  /**
   * The arguments in the order of these parameters; null where nothing was passed.
   *
   * @throws TemplateException when there are more, or some of another name
   */
  Object[] bind(String function, String... parameters) {
    if (positional.size() > parameters.length) {
      throw error(
          function
              + "() takes at most "
              + parameters.length
              + " arguments, found "
              + positional.size());
    }
    Object[] bound = Arrays.copyOf(positional.toArray(), parameters.length);
    named.forEach(
        (name, value) -> {
          int index = List.of(parameters).indexOf(name);
          if (index < 0 || index < positional.size()) {
            throw error(function + "() has no use for the argument '" + name + "'");
          }
          bound[index] = value;
        });
    return bound;
  }

  /** As {@link #bind} with the first {@code required} arguments present. */
  Object[] bind(int required, String function, String... parameters) {
    Object[] bound = bind(function, parameters);
    for (int i = 0; i < required; i++) {
      if (bound[i] == null) {
        throw error(function + "() misses its argument '" + parameters[i] + "'");
      }
    }
    return bound;
  }

  /** These arguments without the first positional one. */
  Arguments tail() {
    return new Arguments(line, positional.subList(1, positional.size()), named);
  }

  TemplateException error(String problem) {
    return new TemplateException(line, problem);
  }
}
