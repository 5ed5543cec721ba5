package dev.quern.formats.compressedtensors;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Matrices that inference engines fuse into one, and that must therefore share what belongs to a
 * whole matrix: the global scale of strategy {@code tensor_group}. Scales of smaller blocks stay
 * each matrix's own, and so do FP8 scales by tensor.
 *
 * <pre>
 *   parent.gate_proj   parent.up_proj                      MLP, and each expert of its own
 *   parent.q_proj      parent.k_proj       parent.v_proj   attention
 *   parent.q_a_proj    parent.kv_a_proj_with_mqa           multi-head latent attention
 *   parent.w1          parent.w3                           experts of other families
 * </pre>
 *
 * <p>A set counts only when all its modules are there, under one parent: an attention with {@code
 * q_proj} and {@code kv_a_proj_with_mqa} fuses nothing.
 *
 * <p>Source: llm-compressor, {@code observers/helpers.py}, {@code FUSED_LAYER_NAMES} and {@code
 * fuse_weight_observers}.
 */
public final class FusedSets {
  private static final List<List<String>> NAMES =
      List.of(
          List.of("gate_proj", "up_proj"),
          List.of("q_proj", "k_proj", "v_proj"),
          List.of("q_a_proj", "kv_a_proj_with_mqa"),
          List.of("w1", "w3"));

  private FusedSets() {}

  /**
   * The complete sets among a model's modules, each in the order of the table above; sets in the
   * order in which their first parent comes.
   *
   * @param modules full module names, all of the model's and not only those that are quantized
   */
  public static List<List<String>> of(Collection<String> modules) {
    Map<String, Set<String>> children = new LinkedHashMap<>();
    for (String module : modules) {
      int dot = module.lastIndexOf('.');
      children
          .computeIfAbsent(module.substring(0, dot + 1), parent -> new LinkedHashSet<>())
          .add(module.substring(dot + 1));
    }
    List<List<String>> sets = new ArrayList<>();
    children.forEach(
        (parent, names) -> {
          for (List<String> set : NAMES) {
            if (names.containsAll(set)) {
              sets.add(set.stream().map(name -> parent + name).toList());
            }
          }
        });
    return List.copyOf(sets);
  }
}
