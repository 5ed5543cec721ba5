package dev.quern.formats.recipe;

import dev.quern.formats.compressedtensors.PresetSchemes;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import java.util.List;

/**
 * One scheme with the modules that it is for.
 *
 * @param label what people call it: a preset's name, or the name of a group in a recipe
 * @param scheme how the modules are quantized; its {@code targets} say which
 */
public record RecipeRule(String label, QuantizationScheme scheme) {
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
    return new RecipeRule(label, scheme.withTargets(targets));
  }

  /** Whether both quantize in the same way, whatever their modules and names. */
  boolean sameNumbers(RecipeRule other) {
    List<String> none = List.of();
    return scheme.withTargets(none).equals(other.scheme.withTargets(none));
  }
}
