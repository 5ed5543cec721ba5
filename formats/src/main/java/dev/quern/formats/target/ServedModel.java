package dev.quern.formats.target;

import dev.quern.formats.compressedtensors.FusedSets;
import dev.quern.formats.compressedtensors.QuantizationConfig;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * A compressed model as an engine will find it.
 *
 * @param modules its matrices, quantized or not
 * @param config what config.json says of them
 * @param heads number of attention heads, when config.json says so
 * @param keyValueHeads number of key-value heads, when config.json says so
 * @param sharedHead whether the output head computes with a quantized embedding's matrix
 * @param tensorParallel ranks that share each matrix, at least 1
 */
public record ServedModel(
    List<ServedModule> modules,
    QuantizationConfig config,
    OptionalLong heads,
    OptionalLong keyValueHeads,
    boolean sharedHead,
    int tensorParallel) {
  /**
   * Modules that an engine makes one of.
   *
   * @param name full name of the one
   * @param parts the modules, in the order of their rows
   */
  record Fused(String name, List<ServedModule> parts) {}

  private static final Map<List<String>, String> NAMES =
      Map.of(
          List.of("q_proj", "k_proj", "v_proj"), "qkv_proj",
          List.of("gate_proj", "up_proj"), "gate_up_proj",
          List.of("w1", "w3"), "w13",
          List.of("q_a_proj", "kv_a_proj_with_mqa"), "fused_qkv_a_proj");

  /** Copies the list. */
  public ServedModel {
    modules = List.copyOf(modules);
  }

  /** All sets of modules that are fused. */
  List<Fused> fused() {
    Map<String, ServedModule> byName = new HashMap<>();
    modules.forEach(module -> byName.put(module.name(), module));
    List<Fused> fused = new ArrayList<>();
    for (List<String> set : FusedSets.of(byName.keySet().stream().sorted().toList())) {
      List<ServedModule> parts = set.stream().map(byName::get).toList();
      String name = NAMES.get(parts.stream().map(ServedModule::last).toList());
      fused.add(new Fused(parts.getFirst().parent() + name, parts));
    }
    return fused;
  }

  /**
   * Number of parts that a module's rows are cut into. Where there are fewer key-value heads than
   * ranks, several ranks hold the same head.
   */
  long rowParts(ServedModule module) {
    if (module.cut() != ServedModule.Cut.COLUMN_PARALLEL) {
      return 1;
    }
    boolean keyValue = module.last().equals("k_proj") || module.last().equals("v_proj");
    return keyValue ? Math.min(tensorParallel, keyValueHeads.orElse(tensorParallel)) : tensorParallel;
  }

  /** Number of parts that a module's columns are cut into. */
  long columnParts(ServedModule module) {
    return module.cut() == ServedModule.Cut.ROW_PARALLEL ? tensorParallel : 1;
  }
}
