package dev.quern.formats.recipe;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.NearestNames;
import dev.quern.formats.json.JsonWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The modifiers of llm-compressor: which are there, and why the others are not.
 *
 * <p>Source: llm-compressor (2026-08), {@code modifiers/}.
 */
final class ModifierNames {
  static final String QUANTIZATION = "QuantizationModifier";
  static final String GPTQ = "GPTQModifier";

  private static final String SCALES = "moves scales between layers, which this version cannot do";
  private static final String LEARNS = "learns how to round, which this version cannot do";
  private static final String EXPERTS = "takes experts out, which this version cannot do";
  private static final String ROTATES = "rotates weights, which this version cannot do";

  /** Those that quantize. */
  private static final Map<String, SolverChoice.Algorithm> SOLVERS =
      new TreeMap<>(
          Map.of(QUANTIZATION, SolverChoice.Algorithm.RTN, GPTQ, SolverChoice.Algorithm.GPTQ));

  /** Those that make weights zero. */
  private static final Map<String, SparsityChoice.Algorithm> PRUNERS =
      new TreeMap<>(
          Map.of(
              "ConstantPruningModifier", SparsityChoice.Algorithm.CONSTANT,
              "MagnitudePruningModifier", SparsityChoice.Algorithm.MAGNITUDE,
              "SparseGPTModifier", SparsityChoice.Algorithm.SPARSEGPT,
              "WandaPruningModifier", SparsityChoice.Algorithm.WANDA));

  /** What this version cannot do for a modifier. */
  private static final Map<String, String> ABSENT =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry("AWQModifier", SCALES),
              Map.entry("AutoRoundModifier", LEARNS),
              Map.entry("LogarithmicEqualizationModifier", SCALES),
              Map.entry("QuIPModifier", ROTATES),
              Map.entry("REAPPruningModifier", EXPERTS),
              Map.entry("SmoothQuantModifier", SCALES),
              Map.entry("SpinQuantModifier", ROTATES)));

  private ModifierNames() {}

  /** Whether it is the name of a modifier, there or not. */
  static boolean isKnown(String name) {
    return SOLVERS.containsKey(name) || PRUNERS.containsKey(name) || ABSENT.containsKey(name);
  }

  /** How a modifier of this name finds codes; empty when it does not quantize. */
  static Optional<SolverChoice.Algorithm> solver(String name) {
    return Optional.ofNullable(SOLVERS.get(name));
  }

  /** How a modifier of this name prunes; empty when it does not. */
  static Optional<SparsityChoice.Algorithm> pruner(String name) {
    return Optional.ofNullable(PRUNERS.get(name));
  }

  /** The modifier that prunes in this way. */
  static String of(SparsityChoice.Algorithm algorithm) {
    return PRUNERS.entrySet().stream()
        .filter(entry -> entry.getValue() == algorithm)
        .map(Map.Entry::getKey)
        .findFirst()
        .orElseThrow();
  }

  /**
   * @throws CheckpointException when the name is not that of a modifier that this version has
   */
  static void requireAvailable(String where, String name) {
    if (SOLVERS.containsKey(name) || PRUNERS.containsKey(name)) {
      return;
    }
    List<String> there = new ArrayList<>(SOLVERS.keySet());
    there.addAll(PRUNERS.keySet());
    if (ABSENT.containsKey(name)) {
      throw new CheckpointException(
          where,
          name + " " + ABSENT.get(name),
          "Take it out. This version has " + String.join(", ", there) + ".");
    }
    List<String> all = new ArrayList<>(ABSENT.keySet());
    all.addAll(there);
    throw new CheckpointException(
        where,
        "unknown modifier " + JsonWriter.quote(name),
        NearestNames.question(name, all) + "This version has " + String.join(", ", there) + ".");
  }
}
