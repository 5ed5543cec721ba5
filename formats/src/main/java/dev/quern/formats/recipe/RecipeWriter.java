package dev.quern.formats.recipe;

import dev.quern.formats.compressedtensors.ActivationOrdering;
import dev.quern.formats.compressedtensors.PresetSchemes;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.YamlWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Writes a recipe as llm-compressor writes {@code recipe.yaml} beside a model: one stage, and in it
 * a group for each modifier. Reading it again gives the same rules.
 *
 * <p>Source: llm-compressor (2026-08), {@code recipe/recipe.py} and {@code recipe/utils.py}.
 */
public final class RecipeWriter {
  private RecipeWriter() {}

  /** The recipe as YAML, with a newline at the end. */
  public static String write(Recipe recipe) {
    Json.Obj stage = Json.Obj.empty();
    for (PruningModifier modifier : recipe.pruning()) {
      String name = ModifierNames.of(modifier.choice().algorithm());
      stage = withGroup(stage, name, PruningWriter.arguments(modifier));
    }
    for (QuantizationModifier modifier : recipe.modifiers()) {
      stage = withModifier(stage, modifier);
    }
    return YamlWriter.write(Json.Obj.empty().with("default_stage", stage));
  }

  private static Json.Obj withGroup(Json.Obj stage, String name, Json.Obj arguments) {
    int i = stage.members().size();
    String group = i == 0 ? "default_modifiers" : "default_" + i + "_modifiers";
    return stage.with(group, Json.Obj.empty().with(name, arguments));
  }

  private static Json.Obj withModifier(Json.Obj stage, QuantizationModifier modifier) {
    List<SolverChoice> solvers =
        modifier.rules().stream().map(RecipeRule::solver).distinct().toList();
    if (solvers.size() > 1) {
      throw new IllegalArgumentException("one modifier with several solvers: " + solvers);
    }
    SolverChoice solver = solvers.isEmpty() ? SolverChoice.RTN : solvers.getFirst();
    Optional<QuantizationArgs> cache = modifier.cache();
    Json.Obj arguments =
        switch (solver.algorithm()) {
          case RTN -> arguments(modifier.rules(), modifier.ignore());
          case GPTQ -> gptqArguments(modifier, solver);
        };
    if (cache.isPresent()) {
      arguments = arguments.with("kv_cache_scheme", withoutNulls(cache.get().toJson()));
    }
    String name =
        solver.algorithm() == SolverChoice.Algorithm.GPTQ
            ? ModifierNames.GPTQ
            : ModifierNames.QUANTIZATION;
    return withGroup(stage, name, arguments);
  }

  /**
   * An order that all rules share stands with the modifier, as null when it is none: without the
   * key, readers take static.
   */
  private static Json.Obj gptqArguments(QuantizationModifier modifier, SolverChoice solver) {
    List<Optional<ActivationOrdering>> orders =
        modifier.rules().stream()
            .map(rule -> rule.scheme().weights().flatMap(QuantizationArgs::actorder))
            .distinct()
            .toList();
    boolean shared = orders.size() == 1;
    List<RecipeRule> rules =
        shared
            ? modifier.rules().stream().map(rule -> rule.withOrder(Optional.empty())).toList()
            : modifier.rules();
    Json order =
        shared && orders.getFirst().isPresent()
            ? Json.of(orders.getFirst().get().configName())
            : Json.Null.NULL;
    return arguments(rules, modifier.ignore())
        .with("block_size", Json.of(solver.blockSize()))
        .with("dampening_frac", Json.of(solver.dampening()))
        .with("actorder", order);
  }

  private static Json.Obj arguments(List<RecipeRule> rules, List<String> ignored) {
    Json ignore = strings(ignored);
    if (rules.isEmpty()) {
      return Json.Obj.empty().with("ignore", ignore);
    }
    Optional<Json.Obj> presets = presets(rules);
    if (presets.isEmpty()) {
      return Json.Obj.empty().with("config_groups", groups(rules)).with("ignore", ignore);
    }
    Json.Obj result = Json.Obj.empty();
    if (rules.size() == 1) {
      RecipeRule rule = rules.getFirst();
      result =
          result
              .with("targets", strings(rule.targets()))
              .with("ignore", ignore)
              .with("scheme", Json.of(rule.label()));
    } else {
      result = result.with("ignore", ignore).with("scheme", presets.get());
    }
    Optional<String> observer = otherObserver(rules.getFirst());
    return observer.isPresent() ? result.with("weight_observer", Json.of(observer.get())) : result;
  }

  /** Targets by preset, when every rule is one, apart from an observer that all of them share. */
  private static Optional<Json.Obj> presets(List<RecipeRule> rules) {
    Optional<String> observer = otherObserver(rules.getFirst());
    Map<String, Json> presets = new LinkedHashMap<>();
    for (RecipeRule rule : rules) {
      boolean same =
          PresetSchemes.isKnown(rule.label())
              && presetWith(rule, observer).equals(rule.scheme())
              && presets.put(rule.label(), strings(rule.targets())) == null;
      if (!same) {
        return Optional.empty();
      }
    }
    return Optional.of(Json.Obj.of(presets));
  }

  private static QuantizationScheme presetWith(RecipeRule rule, Optional<String> observer) {
    RecipeRule preset = RecipeRule.preset(rule.label(), rule.targets());
    return observer.map(preset::withWeightObserver).orElse(preset).scheme();
  }

  /** The observer of the weights where it is not that of the preset. */
  private static Optional<String> otherObserver(RecipeRule rule) {
    if (!PresetSchemes.isKnown(rule.label())) {
      return Optional.empty();
    }
    Optional<String> usual =
        PresetSchemes.named(rule.label()).weights().flatMap(weights -> weights.observer());
    return rule.scheme()
        .weights()
        .flatMap(weights -> weights.observer())
        .filter(o -> !usual.equals(Optional.of(o)));
  }

  private static Json.Obj groups(List<RecipeRule> rules) {
    Map<String, Json> groups = new LinkedHashMap<>();
    for (RecipeRule rule : rules) {
      Json.Obj scheme = rule.scheme().toJson();
      for (String key : List.copyOf(scheme.members().keySet())) {
        if (scheme.find(key).orElseThrow() instanceof Json.Obj args) {
          scheme = scheme.with(key, withoutNulls(args));
        }
      }
      groups.put("group_" + groups.size(), withoutNulls(scheme));
    }
    return Json.Obj.of(groups);
  }

  /** What is null is inferred again; empty settings are the default. */
  private static Json.Obj withoutNulls(Json.Obj object) {
    Json.Obj kept = object;
    for (String key : List.copyOf(object.members().keySet())) {
      Json value = object.find(key).orElseThrow();
      if (value == Json.Null.NULL || value.equals(Json.Obj.empty())) {
        kept = kept.without(key);
      }
    }
    return kept;
  }

  static Json strings(List<String> texts) {
    return Json.of(texts.stream().map(Json::of).toList());
  }
}
