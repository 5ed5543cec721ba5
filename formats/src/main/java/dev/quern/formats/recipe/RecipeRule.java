package dev.quern.formats.recipe;

import dev.quern.formats.compressedtensors.ActivationOrdering;
import dev.quern.formats.compressedtensors.PresetSchemes;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.json.Json;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * One scheme with the modules that it is for.
 *
 * @param label what people call it: a preset's name, or the name of a group in a recipe
 * @param scheme how the modules are quantized; its {@code targets} say which
 * @param solver how the codes of the weights are found
 */
public record RecipeRule(String label, QuantizationScheme scheme, SolverChoice solver) {
  /** A rule that rounds to nearest. */
  public RecipeRule(String label, QuantizationScheme scheme) {
    this(label, scheme, SolverChoice.RTN);
  }

  /**
   * A rule of a preset scheme.
   *
   * @param name in any case
   * @param targets module names, {@code re:} patterns and class names
   * @throws dev.quern.formats.CheckpointException for an unknown name
   */
  public static RecipeRule preset(String name, List<String> targets) {
    PresetSchemes.Preset preset = PresetSchemes.named(name);
    return new RecipeRule(preset.name(), preset.scheme(targets));
  }

  /** The module names, patterns and classes that it is for. */
  public List<String> targets() {
    return scheme.targets();
  }

  /** The same scheme for other modules. */
  public RecipeRule withTargets(List<String> targets) {
    return withScheme(scheme.withTargets(targets));
  }

  /** The same scheme with another observer of weights, under the settings that are there. */
  public RecipeRule withWeightObserver(String observer) {
    return withWeights(
        weights -> weights.toBuilder().observer(ObserverChoice.canonical(observer)).build());
  }

  /** The same scheme, with codes that are found in another way. */
  public RecipeRule withSolver(SolverChoice other) {
    return new RecipeRule(label, scheme, other);
  }

  /**
   * The same scheme with another order of columns, for solvers that have one.
   *
   * @param order empty for none
   */
  public RecipeRule withOrder(Optional<ActivationOrdering> order) {
    return withWeights(weights -> weights.toBuilder().actorder(order.orElse(null)).build());
  }

  private RecipeRule withWeights(UnaryOperator<QuantizationArgs> change) {
    return withScheme(scheme.weights().map(change).map(scheme::withWeights).orElse(scheme));
  }

  private RecipeRule withScheme(QuantizationScheme other) {
    return new RecipeRule(label, other, solver);
  }

  /** The preset whose numbers these are, whatever observer looks at the weights. */
  static Optional<String> presetLike(QuantizationScheme scheme) {
    return PresetSchemes.names().stream()
        .filter(
            name -> {
              PresetSchemes.Preset preset = PresetSchemes.named(name);
              return scheme.outputActivations().isEmpty()
                  && scheme
                      .weights()
                      .map(RecipeRule::unobserved)
                      .equals(preset.weights().map(RecipeRule::unobserved))
                  && scheme.inputActivations().equals(preset.inputActivations());
            })
        .findFirst();
  }

  private static QuantizationArgs unobserved(QuantizationArgs args) {
    QuantizationArgs.Builder builder =
        args.toBuilder().observer(null).observerKwargs(Json.Obj.empty());
    // Nothing has the type of the zero points that a symmetric scheme does not have.
    return args.symmetric() ? builder.zpDtype(null).build() : builder.build();
  }

  /** Whether both quantize in the same way, whatever their modules and names. */
  boolean sameNumbers(RecipeRule other) {
    List<String> none = List.of();
    return scheme.withTargets(none).equals(other.scheme.withTargets(none))
        && solver.equals(other.solver);
  }
}
