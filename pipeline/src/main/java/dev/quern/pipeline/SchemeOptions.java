package dev.quern.pipeline;

import dev.quern.formats.compressedtensors.ModuleClass;
import dev.quern.formats.compressedtensors.PresetSchemes;
import dev.quern.formats.recipe.Recipe;
import dev.quern.formats.recipe.RecipeRule;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The values of {@code --scheme}: {@code NAME} or {@code NAME:TARGET}. A name that stands several
 * times is one rule with several targets.
 *
 * @param recipe the rules
 * @param notes what the user should be told about the names, a sentence each
 */
record SchemeOptions(Recipe recipe, List<String> notes) {
  /** Where the targets of a single scheme without a pattern stand. */
  static final String TARGETS = "--targets";

  /** Where the others stand. */
  static final String SCHEME = "--scheme";

  /**
   * @throws QuernException for an unknown name
   */
  static SchemeOptions parse(List<String> schemes) {
    List<String> notes = new ArrayList<>();
    Map<String, List<String>> targets = new LinkedHashMap<>();
    for (String scheme : schemes) {
      int colon = scheme.indexOf(':');
      String name = colon < 0 ? scheme : scheme.substring(0, colon);
      String target = colon < 0 ? ModuleClass.LINEAR : scheme.substring(colon + 1);
      PresetSchemes.aliasNote(name).ifPresent(notes::add);
      String preset = SchemeSupport.preset(name).name();
      targets.computeIfAbsent(preset, _ -> new ArrayList<>()).add(target);
    }
    List<RecipeRule> rules = new ArrayList<>();
    targets.forEach((name, of) -> rules.add(RecipeRule.preset(name, of)));
    boolean plain = schemes.size() == 1 && schemes.getFirst().indexOf(':') < 0;
    return new SchemeOptions(Recipe.of(plain ? TARGETS : SCHEME, rules), List.copyOf(notes));
  }
}
