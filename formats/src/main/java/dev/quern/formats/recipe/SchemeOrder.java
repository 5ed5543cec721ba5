package dev.quern.formats.recipe;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.ActivationOrdering;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationStrategy;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonWriter;
import dev.quern.formats.recipe.SolverChoice.Algorithm;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The {@code actorder} of a {@code GPTQModifier}, and what it does to schemes that have one of
 * their own.
 *
 * <p>Source: llm-compressor (2026-08), {@code modifiers/gptq/base.py}, {@code
 * resolve_quant_config}.
 *
 * @param given the modifier's; empty when it says none
 * @param isDefault whether nothing was said, so that a scheme may say otherwise
 */
record SchemeOrder(Optional<ActivationOrdering> given, boolean isDefault) {
  private static final String KEY = "actorder";

  static SchemeOrder read(Algorithm algorithm, Json.Obj json) {
    if (algorithm != Algorithm.GPTQ) {
      return new SchemeOrder(Optional.empty(), false);
    }
    if (!json.has(KEY)) {
      return new SchemeOrder(Optional.of(ActivationOrdering.STATIC), true);
    }
    return new SchemeOrder(json.string(KEY).map(name -> named(json, name)), false);
  }

  private static ActivationOrdering named(Json.Obj json, String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return Arrays.stream(ActivationOrdering.values())
        .filter(order -> order.configName().equals(lower))
        .findFirst()
        .orElseThrow(
            () ->
                new CheckpointException(
                    json.where() + ": " + KEY,
                    "expected one of "
                        + Arrays.stream(ActivationOrdering.values())
                            .map(ActivationOrdering::configName)
                            .collect(Collectors.joining(", "))
                        + " or null, found "
                        + JsonWriter.quote(name),
                    "Correct the value."));
  }

  /**
   * The rule with this order where it has none.
   *
   * @throws CheckpointException when it has another one
   */
  RecipeRule applyTo(String where, RecipeRule rule) {
    Optional<QuantizationArgs> weights = rule.scheme().weights();
    if (given.isEmpty() || weights.isEmpty()) {
      return rule;
    }
    Optional<ActivationOrdering> own = weights.get().actorder();
    if (own.isPresent()) {
      if (!isDefault && own.get().canonical() != given.get().canonical()) {
        throw new CheckpointException(
            where,
            "is "
                + given.get().configName()
                + ", and the scheme of "
                + rule.label()
                + " has "
                + own.get().configName(),
            "Keep one of them.");
      }
      return rule;
    }
    boolean groups =
        weights.get().strategy() == QuantizationStrategy.GROUP
            || weights.get().strategy() == QuantizationStrategy.TENSOR_GROUP;
    boolean needsGroups = given.get().canonical() == ActivationOrdering.GROUP;
    return needsGroups && !groups ? rule : rule.withOrder(given);
  }
}
