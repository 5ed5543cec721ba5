package dev.quern.formats.recipe;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.NearestNames;
import dev.quern.formats.json.JsonWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The modifiers of llm-compressor: which one is there, and why the others are not.
 *
 * <p>Source: llm-compressor (2026-08), {@code modifiers/}.
 */
final class ModifierNames {
  private static final String QUANTIZATION = "QuantizationModifier";
  private static final String DATA = "needs calibration data, which this version cannot use";
  private static final String PRUNES = "prunes weights, which this version cannot do";
  private static final String ROTATES = "rotates weights, which this version cannot do";

  /** What this version cannot do for a modifier. */
  private static final Map<String, String> ABSENT =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry("AWQModifier", DATA),
              Map.entry("AutoRoundModifier", DATA),
              Map.entry("ConstantPruningModifier", PRUNES),
              Map.entry("GPTQModifier", DATA),
              Map.entry("LogarithmicEqualizationModifier", DATA),
              Map.entry("MagnitudePruningModifier", PRUNES),
              Map.entry("QuIPModifier", ROTATES),
              Map.entry("REAPPruningModifier", DATA),
              Map.entry("SmoothQuantModifier", DATA),
              Map.entry("SparseGPTModifier", DATA),
              Map.entry("SpinQuantModifier", ROTATES),
              Map.entry("WandaPruningModifier", DATA)));

  private ModifierNames() {}

  /** Whether it is the name of a modifier, there or not. */
  static boolean isKnown(String name) {
    return name.equals(QUANTIZATION) || ABSENT.containsKey(name);
  }

  /**
   * @throws CheckpointException when the name is not that of a modifier that this version has
   */
  static void requireAvailable(String where, String name) {
    if (name.equals(QUANTIZATION)) {
      return;
    }
    if (ABSENT.containsKey(name)) {
      throw new CheckpointException(
          where,
          name + " " + ABSENT.get(name),
          "Use QuantizationModifier alone, which rounds to nearest, or take the modifier out.");
    }
    List<String> all = new ArrayList<>(ABSENT.keySet());
    all.add(QUANTIZATION);
    throw new CheckpointException(
        where,
        "unknown modifier " + JsonWriter.quote(name),
        NearestNames.question(name, all) + "This version has QuantizationModifier.");
  }
}
