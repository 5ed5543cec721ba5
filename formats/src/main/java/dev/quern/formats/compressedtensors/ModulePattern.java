package dev.quern.formats.compressedtensors;

import static dev.quern.formats.compressedtensors.ConfigErrors.invalid;

import dev.quern.formats.CheckpointException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * One entry of {@code targets} or {@code ignore}: {@code re:} and a Python expression, or else a
 * module's full name or a class name.
 *
 * <p>Source: compressed-tensors 0.18, {@code utils/match.py}.
 */
public final class ModulePattern {
  private static final String PREFIX = "re:";

  private final String text;
  private final Optional<Pattern> regex;

  private ModulePattern(String text, Optional<Pattern> regex) {
    this.text = text;
    this.regex = regex;
  }

  /**
   * @throws CheckpointException when the text is empty or its expression is not usable
   */
  public static ModulePattern parse(String text) {
    if (text.isBlank() || text.equals(PREFIX)) {
      throw invalid(
          "target or ignore pattern",
          "\"" + text + "\" names no module",
          "Write a module name, a class such as Linear, or re: and an expression");
    }
    return new ModulePattern(
        text,
        text.startsWith(PREFIX)
            ? Optional.of(
                PythonRegex.compile("target or ignore pattern", text.substring(PREFIX.length())))
            : Optional.empty());
  }

  /** The entry as it was written. */
  public String text() {
    return text;
  }

  /** Whether it is a {@code re:} expression. */
  public boolean isRegex() {
    return regex.isPresent();
  }

  /**
   * Whether the expression fits the start of the name (as {@code re.match}), or the name is equal.
   */
  public boolean matchesName(String moduleName) {
    return regex
        .map(pattern -> pattern.matcher(moduleName).lookingAt())
        .orElseGet(() -> text.equals(moduleName));
  }

  /**
   * As {@link #matchesName(String)}; a module that fuses others matches also when one of those
   * does.
   *
   * @param fused parts by fused suffix: {@code qkv_proj -> [q_proj, k_proj, v_proj]}
   */
  public boolean matchesName(String moduleName, Map<String, List<String>> fused) {
    if (matchesName(moduleName)) {
      return true;
    }
    for (Map.Entry<String, List<String>> entry : fused.entrySet()) {
      String suffix = entry.getKey();
      if (moduleName.endsWith(suffix)) {
        String stem = moduleName.substring(0, moduleName.length() - suffix.length());
        if (entry.getValue().stream().anyMatch(part -> matchesName(stem + part))) {
          return true;
        }
      }
    }
    return false;
  }

  /** Whether the entry is this class name; {@code Linear} also means {@code LinearBase}. */
  public boolean matchesClass(String className) {
    return regex.isEmpty()
        && (text.equals(className)
            || text.equals(ModuleClass.LINEAR) && className.equals("LinearBase"));
  }

  @Override
  public String toString() {
    return text;
  }
}
