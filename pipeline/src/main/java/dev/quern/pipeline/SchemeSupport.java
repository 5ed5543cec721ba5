package dev.quern.pipeline;

import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.compressedtensors.DynamicType;
import dev.quern.formats.compressedtensors.PresetSchemes;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.compressedtensors.QuantizationType;
import dev.quern.formats.recipe.Recipe;
import dev.quern.formats.recipe.RecipeRule;
import dev.quern.formats.recipe.SolverChoice;
import dev.quern.pipeline.calibration.ActivationScales;
import dev.quern.pipeline.calibration.CalibratedModule;
import dev.quern.pipeline.calibration.SolverFormats;
import java.util.List;
import java.util.Optional;

/**
 * Which schemes can be asked for: known by name, and computed: by a codec, with or without what
 * calibration shows, or by a solver.
 */
final class SchemeSupport {
  private SchemeSupport() {}

  /**
   * The preset of a name.
   *
   * @throws QuernException for an unknown name
   */
  static PresetSchemes.Preset preset(String name) {
    if (!PresetSchemes.isKnown(name)) {
      List<String> nearest = PresetSchemes.nearest(name, WeightCodecs.supportedPresets());
      String suggestion =
          nearest.isEmpty() ? "" : "Did you mean " + String.join(" or ", nearest) + "? ";
      throw new QuernException(
          QuernException.Kind.REQUEST,
          "--scheme " + name,
          "unknown scheme",
          suggestion + presetsToUse());
    }
    return PresetSchemes.named(name);
  }

  /**
   * Refuses a rule that this version cannot compute.
   *
   * @param origin where the rule stands, for the message
   * @throws QuernException with the reason
   */
  static void require(String origin, RecipeRule rule) {
    refuseActivations(origin, rule);
    refuseAsymmetricFloats(origin, rule);
    if (rule.solver().needsData() && rule.scheme().weights().isPresent()) {
      requireSolver(origin, rule);
      return;
    }
    refuseOrder(origin, rule);
    rule.scheme().weights().ifPresent(weights -> WeightObserver.require(origin, weights));
    if (WeightCodecs.find(rule.scheme(), FloatType.BF16, 1, columns(rule.scheme())).isEmpty()) {
      throw refused(origin, describe(rule));
    }
  }

  /**
   * Refuses what a recipe asks for beside its rules and this version cannot do.
   *
   * @throws QuernException with the reason
   */
  static void requireNothingElse(Recipe recipe) {
    if (!recipe.pruning().isEmpty()) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          recipe.origin(),
          "modifiers that prune weights are read, but this version cannot do what they say",
          "Take them out.");
    }
  }

  private static String describe(RecipeRule rule) {
    if (PresetSchemes.isKnown(rule.label())) {
      return rule.label() + " is a known scheme that this version cannot compute";
    }
    return rule.scheme()
        .weights()
        .map(
            weights ->
                rule.label()
                    + " asks for weights of "
                    + weights.numBits()
                    + "-bit "
                    + weights.type().configName()
                    + "s by "
                    + weights.strategy().configName()
                    + " in format "
                    + rule.scheme().formatOrDefault().configName()
                    + ", which this version cannot compute")
        .orElse(rule.label() + " quantizes no weights");
  }

  /** Refuses stored scales of inputs and outputs that calibration cannot find. */
  private static void refuseActivations(String origin, RecipeRule rule) {
    QuantizationScheme scheme = rule.scheme();
    scheme
        .inputActivations()
        .filter(_ -> CalibratedModule.watchesInput(scheme))
        .flatMap(ActivationScales::problemOfInputs)
        .ifPresent(
            problem -> {
              throw refused(origin, rule.label() + ", input_activations: " + problem);
            });
    if (scheme.outputActivations().filter(a -> a.dynamic() != DynamicType.TRUE).isPresent()) {
      throw refused(
          origin,
          rule.label() + " asks for stored scales of outputs, which this version cannot find");
    }
  }

  private static void requireSolver(String origin, RecipeRule rule) {
    SolverFormats.problem(rule.scheme())
        .ifPresent(
            problem -> {
              throw new QuernException(
                  QuernException.Kind.REQUEST,
                  origin,
                  title(rule) + ": " + problem,
                  "Use --algorithm rtn, which rounds to nearest, or another scheme or observer.");
            });
  }

  /** What people call a rule: its label, behind the solver's name. */
  static String title(RecipeRule rule) {
    return rule.solver().needsData()
        ? rule.solver().algorithm() + " " + rule.label()
        : rule.label();
  }

  /**
   * The same rule without a solver: for tables, which are looked up and have no inputs to go by.
   */
  static RecipeRule rounded(RecipeRule rule) {
    return rule.solver().needsData()
        ? rule.withSolver(SolverChoice.RTN).withOrder(Optional.empty())
        : rule;
  }

  /** A column order is found by GPTQ; round-to-nearest would record one that it does not have. */
  private static void refuseOrder(String origin, RecipeRule rule) {
    if (rule.scheme().weights().flatMap(QuantizationArgs::actorder).isPresent()) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          origin,
          rule.label() + " has an actorder, which is an order of columns for GPTQ",
          "Leave actorder out.");
    }
  }

  private static void refuseAsymmetricFloats(String origin, RecipeRule rule) {
    boolean asymmetric =
        rule.scheme()
            .weights()
            .filter(w -> w.type() == QuantizationType.FLOAT && !w.symmetric())
            .isPresent();
    if (asymmetric) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          origin,
          rule.label() + " asks for asymmetric floats, which have no zero point",
          "Use symmetric: true, or type: int.");
    }
  }

  /** A width that every strategy divides. */
  private static int columns(QuantizationScheme scheme) {
    return scheme.weights().stream()
        .flatMapToInt(weights -> weights.groupSize().stream())
        .filter(size -> size > 0)
        .findFirst()
        .orElse(128);
  }

  private static QuernException refused(String origin, String problem) {
    return new QuernException(QuernException.Kind.REQUEST, origin, problem, presetsToUse());
  }

  private static String presetsToUse() {
    return "Use one of " + String.join(", ", WeightCodecs.supportedPresets()) + ".";
  }
}
