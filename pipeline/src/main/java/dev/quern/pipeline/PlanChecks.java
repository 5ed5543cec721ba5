package dev.quern.pipeline;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.BlockStructure;
import dev.quern.formats.compressedtensors.ClassifiedTensor;
import dev.quern.formats.compressedtensors.FusedSets;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.compressedtensors.QuantizationStrategy;
import dev.quern.formats.compressedtensors.TensorRole;
import dev.quern.formats.safetensors.TensorSpec;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Looks at a plan as a whole: what must not be, and what the user should know. */
final class PlanChecks {
  private PlanChecks() {}

  /** Refuses a plan that quantizes nothing. */
  static void requireQuantized(List<TensorPlan> tensors, CompressionOptions options) {
    if (options.recipe().cache().isEmpty()
        && tensors.stream().noneMatch(t -> t.scheme().isPresent())) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          options.model().toString(),
          "no tensor is left to quantize: "
              + tensors.size()
              + " tensors, all ignored or not Linear",
          "Look at the plan with --dry-run and fewer --ignore patterns, or give --targets.");
    }
  }

  /** Refuses output tensors of one name. */
  static void refuseNameClashes(List<TensorPlan> tensors) {
    Map<String, String> owner = new HashMap<>();
    for (TensorPlan tensor : tensors) {
      for (TensorSpec output : tensor.outputs()) {
        String other = owner.put(output.name(), tensor.source().name());
        if (other != null) {
          throw new CheckpointException(
              tensor.file() + ", tensor " + tensor.source().name(),
              "output tensor " + output.name() + " would also be made from " + other,
              "The checkpoint seems to be quantized already, although its config.json does not say"
                  + " so; give the one it was made from.");
        }
      }
    }
  }

  /** Refuses schemes that differ among matrices that engines fuse and that share a global scale. */
  static void refuseDividedSets(List<TensorPlan> tensors) {
    Map<String, Optional<QuantizationScheme>> schemes = new LinkedHashMap<>();
    Map<String, String> types = new LinkedHashMap<>();
    tensors.stream()
        .filter(t -> t.name().equals(t.module() + ".weight"))
        .forEach(
            t -> {
              schemes.put(t.module(), t.scheme().map(scheme -> scheme.withTargets(List.of())));
              types.put(t.module(), t.dtype() + " " + t.solver());
            });
    for (List<String> set : FusedSets.of(schemes.keySet())) {
      boolean global =
          set.stream()
              .flatMap(module -> schemes.get(module).flatMap(QuantizationScheme::weights).stream())
              .anyMatch(args -> args.strategy() == QuantizationStrategy.TENSOR_GROUP);
      boolean alike =
          set.stream().map(schemes::get).distinct().count() == 1
              && set.stream().map(types::get).distinct().count() == 1;
      if (global && !alike) {
        throw new QuernException(
            QuernException.Kind.REQUEST,
            String.join(", ", set),
            "inference engines fuse these matrices, which must have one global scale, but not all"
                + " are quantized in the same way from weights of one type",
            "Choose targets and ignore so that they match all of them or none.");
      }
    }
  }

  /** Says so when experts stay as they are because they lie in one tensor. */
  static Optional<String> fusedExperts(List<ClassifiedTensor> classified) {
    long fused = classified.stream().filter(t -> t.role() == TensorRole.FUSED_EXPERTS).count();
    return fused == 0
        ? Optional.empty()
        : Optional.of(
            fused
                + " tensors hold the weights of many experts fused in one; they are copied in full"
                + " precision and named in ignore");
  }

  /** Says so when blocks do not divide a matrix. */
  static Optional<String> raggedBlocks(List<TensorPlan> tensors) {
    List<TensorPlan> ragged =
        tensors.stream()
            .filter(t -> block(t).filter(block -> !divides(block, t)).isPresent())
            .toList();
    if (ragged.isEmpty()) {
      return Optional.empty();
    }
    TensorPlan first = ragged.getFirst();
    BlockStructure block = block(first).orElseThrow();
    return Optional.of(
        ragged.size()
            + " matrices are no multiple of "
            + block.rows()
            + " x "
            + block.columns()
            + " (the first is "
            + first.module()
            + "): compressed-tensors writes them so, but its own decompressor, and so"
            + " transformers, cannot read them back; use FP8_DYNAMIC for transformers");
  }

  /** Says so when an embedding has another width than the other matrices. */
  static Optional<String> embeddingWidth(
      List<TensorPlan> tensors, List<ClassifiedTensor> classified) {
    Set<String> tables =
        classified.stream()
            .filter(t -> t.role() == TensorRole.EMBEDDING)
            .map(ClassifiedTensor::module)
            .collect(Collectors.toSet());
    Set<Integer> others = new TreeSet<>();
    tensors.stream().filter(t -> !tables.contains(t.module())).forEach(t -> bits(t, others));
    for (TensorPlan table : tensors) {
      Set<Integer> own = new TreeSet<>();
      bits(table, own);
      if (tables.contains(table.module())
          && !own.isEmpty()
          && !others.isEmpty()
          && !others.equals(own)) {
        return Optional.of(
            table.module()
                + " gets "
                + own.iterator().next()
                + " bits and other matrices "
                + others.stream().map(String::valueOf).collect(Collectors.joining(" or "))
                + ": transformers does not load an embedding of another width than the Linear"
                + " modules; use the same width if it has to");
      }
    }
    return Optional.empty();
  }

  private static void bits(TensorPlan tensor, Set<Integer> into) {
    tensor.scheme().flatMap(QuantizationScheme::weights).ifPresent(w -> into.add(w.numBits()));
  }

  private static Optional<BlockStructure> block(TensorPlan tensor) {
    return tensor.scheme().flatMap(s -> s.weights()).flatMap(QuantizationArgs::blockStructure);
  }

  private static boolean divides(BlockStructure block, TensorPlan tensor) {
    return tensor.shape().get(0) % block.rows() == 0
        && tensor.shape().get(1) % block.columns() == 0;
  }
}
