package dev.quern.formats.recipe;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.NearestNames;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import dev.quern.formats.json.JsonWriter;
import dev.quern.formats.json.YamlReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Reads a recipe of llm-compressor: stages, groups of modifiers, modifiers.
 *
 * <pre>
 * quant_stage:
 *   quant_modifiers:
 *     QuantizationModifier:
 *       targets: [Linear]
 *       ignore: [lm_head]
 *       scheme: FP8_DYNAMIC
 * </pre>
 *
 * <p>A key that is not known is refused, where the reference would go on without it.
 *
 * <p>Source: llm-compressor (2026-08), {@code recipe/recipe.py}.
 */
public final class RecipeReader {
  /** {@code default_stage}, and {@code default_stage_0} where two recipes were joined. */
  private static final Pattern STAGE = Pattern.compile(".*_stage(_[0-9]+)?");

  private static final String MODIFIERS = "_modifiers";

  /** Kept by the reference for nothing. */
  private static final String ARGUMENTS = "args";

  private static final String SHAPE =
      "Write stages as NAME_stage, groups in them as NAME_modifiers, and modifiers in those";

  private RecipeReader() {}

  /**
   * Reads a file: JSON when its name ends so, else YAML.
   *
   * @throws CheckpointException when it cannot be read, or asks for what is not known or not there
   */
  public static Recipe read(Path file) {
    String name = file.toString().toLowerCase(Locale.ROOT);
    Json.Obj document =
        name.endsWith(".json") ? JsonReader.readObject(file) : YamlReader.readObject(file);
    return read(file.toString(), document);
  }

  /**
   * Reads a document.
   *
   * @param origin its name in messages
   */
  public static Recipe read(String origin, Json.Obj document) {
    List<PruningModifier> pruning = new ArrayList<>();
    List<QuantizationModifier> modifiers = new ArrayList<>();
    for (Map.Entry<String, Json> stage : document.members().entrySet()) {
      if (stage.getKey().equals(ARGUMENTS)) {
        continue;
      }
      if (!STAGE.matcher(stage.getKey()).matches()) {
        throw unknown(document, stage.getKey(), stage.getKey() + "_stage", "a stage");
      }
      Json.Obj groups = document.object(stage.getKey()).orElse(Json.Obj.empty());
      for (String group : groups.members().keySet()) {
        if (!group.endsWith(MODIFIERS)) {
          throw unknown(groups, group, group + MODIFIERS, "a group of modifiers");
        }
        readGroup(groups.object(group).orElse(Json.Obj.empty()), pruning, modifiers);
      }
    }
    if (modifiers.isEmpty() && pruning.isEmpty()) {
      throw new CheckpointException(
          origin, "expected a QuantizationModifier, found no modifier at all", SHAPE + ".");
    }
    return new Recipe(origin, pruning, modifiers);
  }

  private static void readGroup(
      Json.Obj group, List<PruningModifier> pruning, List<QuantizationModifier> modifiers) {
    for (String name : group.members().keySet()) {
      ModifierNames.requireAvailable(group.where(), name);
      Json.Obj arguments = group.object(name).orElse(Json.Obj.empty());
      Optional<SparsityChoice.Algorithm> pruner = ModifierNames.pruner(name);
      if (pruner.isEmpty()) {
        modifiers.add(ModifierReader.read(ModifierNames.solver(name).orElseThrow(), arguments));
      } else if (modifiers.isEmpty()) {
        pruning.add(PruningReader.read(pruner.get(), arguments));
      } else {
        throw new CheckpointException(
            group.where(),
            name + " comes after a modifier that quantizes, and would prune what is no more there",
            "Put it before that one.");
      }
    }
  }

  private static CheckpointException unknown(
      Json.Obj json, String key, String meant, String expected) {
    boolean modifier = ModifierNames.isKnown(key);
    String question =
        modifier ? "" : NearestNames.question(key, List.of(meant, "default_stage", "quant_stage"));
    return new CheckpointException(
        json.where(),
        "unknown key "
            + JsonWriter.quote(key)
            + (modifier ? ", a modifier," : "")
            + " where "
            + expected
            + " is expected",
        question + SHAPE + ".");
  }
}
