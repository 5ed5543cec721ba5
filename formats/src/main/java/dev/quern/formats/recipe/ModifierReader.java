package dev.quern.formats.recipe;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.ConfigReader;
import dev.quern.formats.compressedtensors.ModuleClass;
import dev.quern.formats.compressedtensors.PresetSchemes;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.json.Json;
import dev.quern.formats.recipe.SolverChoice.Algorithm;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Reads the arguments of a {@code QuantizationModifier} or a {@code GPTQModifier}.
 *
 * <p>Source: llm-compressor (2026-08), {@code modifiers/quantization/quantization/mixin.py} and
 * {@code modifiers/gptq/base.py}.
 */
final class ModifierReader {
  private static final Set<String> KEYS =
      Set.of(
          "bypass_divisibility_checks",
          "config_groups",
          "ignore",
          "input_observer",
          "kv_cache_scheme",
          "observer",
          "output_observer",
          "scheme",
          "targets",
          "weight_observer");

  private static final Set<String> GPTQ_KEYS =
      Set.of("actorder", "block_size", "dampening_frac", "offload_hessians");

  /** What every modifier has and nothing reads when a model is compressed once. */
  static final Set<String> COMMON_KEYS =
      Set.of("end", "group", "index", "requires_calibration_data", "start", "update");

  private final Algorithm algorithm;
  private final Json.Obj json;
  private final ConfigReader in;

  private ModifierReader(Algorithm algorithm, Json.Obj json) {
    this.algorithm = algorithm;
    this.json = json;
    this.in = new ConfigReader(json);
  }

  /**
   * @throws CheckpointException for an unknown key, and for what contradicts itself or cannot be
   *     done
   */
  static QuantizationModifier read(Algorithm algorithm, Json.Obj json) {
    return new ModifierReader(algorithm, json).read();
  }

  private QuantizationModifier read() {
    Set<String> known = new HashSet<>(KEYS);
    known.addAll(COMMON_KEYS);
    if (algorithm == Algorithm.GPTQ) {
      known.addAll(GPTQ_KEYS);
    }
    in.allowOnly(known);
    refuseBypass();
    SolverChoice solver = solver();
    SchemeOrder order = SchemeOrder.read(algorithm, json);
    ObserverChoice observers = ObserverChoice.read(json);
    List<RecipeRule> rules = new ArrayList<>();
    rules()
        .forEach(
            rule ->
                rules.add(
                    order.applyTo(
                        in.where("actorder"),
                        new RecipeRule(
                            rule.label(),
                            in.located(() -> observers.applyTo(rule.scheme())),
                            solver))));
    return new QuantizationModifier(
        rules,
        in.stringOrStrings("ignore").orElse(List.of()),
        json.object("kv_cache_scheme").map(QuantizationArgs::fromJson));
  }

  private SolverChoice solver() {
    if (algorithm != Algorithm.GPTQ) {
      return SolverChoice.of(algorithm);
    }
    long block = json.integer("block_size").orElse((long) SolverChoice.DEFAULT_BLOCK_SIZE);
    double dampening = json.number("dampening_frac").orElse(SolverChoice.DEFAULT_DAMPENING);
    try {
      return new SolverChoice(
          algorithm, Math.clamp(block, Integer.MIN_VALUE, Integer.MAX_VALUE), dampening);
    } catch (IllegalArgumentException e) {
      throw new CheckpointException(json.where(), e.getMessage(), "Correct the value.", e);
    }
  }

  private void refuseBypass() {
    if (json.bool("bypass_divisibility_checks").orElse(false)) {
      throw new CheckpointException(
          in.where("bypass_divisibility_checks"),
          "a last group with fewer columns has no place in the formats",
          "Leave it out, and add to ignore the modules that it was meant for.");
    }
  }

  private List<RecipeRule> rules() {
    Optional<Json> scheme = json.find("scheme").filter(value -> value != Json.Null.NULL);
    Optional<Json.Obj> groups = json.object("config_groups");
    if (scheme.isPresent() && groups.isPresent()) {
      throw new CheckpointException(
          json.where(), "both scheme and config_groups are given", "Keep one of them.");
    }
    if (groups.isPresent()) {
      return ofGroups(groups.get());
    }
    if (scheme.isEmpty() && json.object("kv_cache_scheme").isPresent()) {
      return List.of();
    }
    return switch (scheme.orElse(Json.Null.NULL)) {
      case Json.Str name -> List.of(preset(name.value(), targets()));
      case Json.Obj presets -> ofPresets(presets);
      default ->
          throw new CheckpointException(
              json.where(),
              "expected scheme (a preset's name, or targets by preset) or config_groups, found "
                  + (scheme.isPresent() ? scheme.get().kind() : "neither"),
              "Write for example scheme: W4A16.");
    };
  }

  private List<String> targets() {
    return in.stringOrStrings("targets").orElse(List.of(ModuleClass.LINEAR));
  }

  private RecipeRule preset(String name, List<String> targets) {
    PresetSchemes.Preset preset = PresetSchemes.named(in.where("scheme"), name);
    return new RecipeRule(preset.name(), preset.scheme(nonEmpty("scheme", targets)));
  }

  private List<RecipeRule> ofPresets(Json.Obj presets) {
    ConfigReader targets = new ConfigReader(presets);
    List<RecipeRule> rules = new ArrayList<>();
    for (String name : presets.members().keySet()) {
      rules.add(preset(name, targets.stringOrStrings(name).orElse(List.of())));
    }
    refuseIdleTargets(rules);
    return nonEmpty("scheme", rules);
  }

  private List<RecipeRule> ofGroups(Json.Obj groups) {
    List<RecipeRule> rules = new ArrayList<>();
    for (String name : groups.members().keySet()) {
      QuantizationScheme scheme =
          QuantizationScheme.fromJson(groups.object(name).orElse(Json.Obj.empty()));
      nonEmpty("config_groups: " + name, scheme.targets());
      rules.add(new RecipeRule(RecipeRule.presetLike(scheme).orElse(name), scheme));
    }
    refuseIdleTargets(rules);
    return nonEmpty("config_groups", rules);
  }

  /** The reference reads {@code targets} beside groups and does nothing with them. */
  private void refuseIdleTargets(List<RecipeRule> rules) {
    Set<String> given = new LinkedHashSet<>(targets());
    Set<String> used = new LinkedHashSet<>();
    rules.forEach(rule -> used.addAll(rule.targets()));
    if (!given.equals(Set.of(ModuleClass.LINEAR)) && !given.equals(used)) {
      throw new CheckpointException(
          in.where("targets"),
          "has no effect beside schemes that have targets of their own",
          "Take it out.");
    }
  }

  private <T> List<T> nonEmpty(String key, List<T> list) {
    if (list.isEmpty()) {
      throw new CheckpointException(
          in.where(key), "expected at least one entry, found none", "Name what is quantized.");
    }
    return list;
  }
}
