package dev.quern.pipeline;

import dev.quern.formats.compressedtensors.CompressionFormat;
import dev.quern.formats.compressedtensors.FusedSets;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.target.selection.KernelLayer;
import dev.quern.formats.target.selection.KernelLayer.Cut;
import dev.quern.formats.target.selection.KernelLayer.Role;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * From the quantized matrices of a checkpoint to layers as an engine runs them: queries, keys and
 * values in one, gate and up in one, and matrices that look the same to an engine together.
 */
final class ServedLayers {
  /**
   * A matrix of the checkpoint.
   *
   * @param name full module name
   * @param rows output features
   * @param columns input features
   * @param scheme empty when it is not quantized
   * @param bytes of its tensors
   */
  record Matrix(
      String name, long rows, long columns, Optional<QuantizationScheme> scheme, long bytes) {
    String last() {
      return name.substring(name.lastIndexOf('.') + 1);
    }
  }

  /**
   * Layers that are alike.
   *
   * @param layer the first of them
   * @param names patterns of the modules of all, numbers as {@code *}
   * @param count how many
   * @param bytes of all their tensors
   */
  record Group(KernelLayer layer, List<String> names, int count, long bytes) {}

  private record Shape(
      Role role,
      Cut cut,
      List<Long> parts,
      long columns,
      QuantizationScheme scheme,
      boolean sameSchemes) {}

  private static final Pattern ROUTED = Pattern.compile("\\.experts\\.\\d+\\.");
  private static final Pattern NUMBER = Pattern.compile("(?<=\\.)\\d+(?=\\.)");
  private static final Set<String> COLUMN =
      Set.of(
          "q_proj",
          "k_proj",
          "v_proj",
          "gate_proj",
          "up_proj",
          "w1",
          "w3",
          "qkv_proj",
          "gate_up_proj",
          "q_b_proj",
          "kv_b_proj");
  private static final Set<String> ROW = Set.of("o_proj", "down_proj", "w2", "out_proj");

  private ServedLayers() {}

  /** Groups in the order of the first module of each. */
  static List<Group> of(List<Matrix> matrices) {
    Map<String, Matrix> byName = new LinkedHashMap<>();
    matrices.forEach(matrix -> byName.put(matrix.name(), matrix));
    Map<String, List<String>> setOf = new HashMap<>();
    for (List<String> set : FusedSets.of(byName.keySet())) {
      set.forEach(name -> setOf.put(name, set));
    }
    Set<String> done = new HashSet<>();
    Map<Shape, List<KernelLayer>> groups = new LinkedHashMap<>();
    for (Matrix matrix : byName.values()) {
      List<String> names = setOf.getOrDefault(matrix.name(), List.of(matrix.name()));
      if (done.addAll(names)) {
        List<Matrix> parts = names.stream().map(byName::get).toList();
        layer(parts)
            .ifPresent(
                layer -> groups.computeIfAbsent(shape(layer), _ -> new ArrayList<>()).add(layer));
      }
    }
    return groups.values().stream().map(ServedLayers::group).toList();
  }

  private static Optional<KernelLayer> layer(List<Matrix> parts) {
    Optional<QuantizationScheme> scheme =
        parts.stream().flatMap(p -> p.scheme().stream()).findFirst();
    if (scheme.flatMap(QuantizationScheme::weights).isEmpty()) {
      return Optional.empty();
    }
    Matrix first = parts.getFirst();
    boolean same =
        parts.stream().map(p -> p.scheme().map(ServedLayers::bare)).distinct().count() == 1;
    Cut cut =
        COLUMN.contains(first.last())
            ? Cut.COLUMN
            : ROW.contains(first.last()) ? Cut.ROW : Cut.REPLICATED;
    return Optional.of(
        new KernelLayer(
            parts.stream().map(Matrix::name).toList(),
            role(first),
            cut,
            parts.stream().map(Matrix::rows).toList(),
            first.columns(),
            bare(scheme.get()),
            same,
            parts.stream().mapToLong(Matrix::bytes).sum()));
  }

  /** Without the names of the modules that it is for. */
  private static QuantizationScheme bare(QuantizationScheme scheme) {
    return scheme
        .withTargets(List.of("Linear"))
        .withFormat(scheme.format().orElseGet(() -> CompressionFormat.select(scheme)));
  }

  private static Role role(Matrix matrix) {
    boolean routed = ROUTED.matcher(matrix.name()).find();
    return switch (matrix.last()) {
      case "q_proj", "k_proj", "v_proj", "qkv_proj" -> Role.QKV;
      case "o_proj", "out_proj" -> Role.O;
      case "gate_proj", "up_proj", "gate_up_proj", "w1", "w3" ->
          routed ? Role.EXPERT_W13 : Role.GATE_UP;
      case "down_proj", "w2" -> routed ? Role.EXPERT_W2 : Role.DOWN;
      case "lm_head" -> Role.LM_HEAD;
      default -> Role.OTHER;
    };
  }

  private static Shape shape(KernelLayer layer) {
    return new Shape(
        layer.role(),
        layer.cut(),
        layer.parts(),
        layer.columns(),
        layer.scheme(),
        layer.sameSchemes());
  }

  private static Group group(List<KernelLayer> layers) {
    List<String> names =
        layers.stream()
            .flatMap(layer -> layer.modules().stream())
            .map(name -> NUMBER.matcher(name).replaceAll("*"))
            .distinct()
            .toList();
    return new Group(
        layers.getFirst(),
        names,
        layers.size(),
        layers.stream().mapToLong(KernelLayer::bytes).sum());
  }
}
