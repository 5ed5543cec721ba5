package dev.quern.formats.target;

import dev.quern.formats.compressedtensors.ModuleClass;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.compressedtensors.QuantizationStrategy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The shape that one rank holds suits the kernels.
 *
 * <p>Source: vLLM, {@code kernels/linear}: DeepGEMM takes multiples of 64 rows and 128 columns, and
 * the quantizer of activations by 128 whole groups; FlashInfer's MXFP8 at least 128 of each;
 * CUTLASS INT8 multiples of 16; Marlin groups of 32, 64, 128 or whole rows.
 */
final class KernelShapeCheck implements EngineCheck {
  private static final Set<Integer> MARLIN_GROUPS = Set.of(-1, 32, 64, 128);
  private static final int BLOCK = 128;

  @Override
  public List<Finding> check(ServedModel model) {
    List<Finding> findings = new ArrayList<>();
    for (ServedModule module : model.modules()) {
      if (module.scheme().isPresent() && module.className().equals(ModuleClass.LINEAR)) {
        check(model, module).ifPresent(findings::add);
      }
    }
    return findings;
  }

  private static Optional<Finding> check(ServedModel model, ServedModule module) {
    QuantizationScheme scheme = module.scheme().orElseThrow();
    QuantizationArgs weights = scheme.weights().orElseThrow();
    long rows = perRank(module.rows(), model.rowParts(module));
    long cols = perRank(module.cols(), model.columnParts(module));
    if (weights.strategy() == QuantizationStrategy.BLOCK) {
      return block(module, rows, cols);
    }
    return switch (scheme.formatOrDefault()) {
      case MXFP8_QUANTIZED ->
          when(
              rows < BLOCK || cols < BLOCK,
              Finding.refused(
                  module.name(),
                  size(rows, cols) + " on each rank, and MXFP8 kernels of Blackwell fail below 128",
                  "Add it to ignore, or use FP8_DYNAMIC for it."));
      case INT_QUANTIZED ->
          when(
              !module.isRoutedExpert() && (rows % 16 != 0 || cols % 16 != 0),
              Finding.degraded(
                  module.name(),
                  size(rows, cols) + " on each rank are no multiples of 16, so vLLM leaves the"
                      + " CUTLASS kernel for a slower one",
                  "Add it to ignore if it matters."));
      case PACK_QUANTIZED -> marlin(module, weights);
      default -> Optional.empty();
    };
  }

  private static Optional<Finding> block(ServedModule module, long rows, long cols) {
    if (cols % BLOCK != 0) {
      return Optional.of(
          Finding.refused(
              module.name(),
              "each rank has " + cols + " columns, and activations are quantized by whole groups of"
                  + " 128",
              "Use FP8_DYNAMIC for it."));
    }
    return when(
        rows % 64 != 0,
        Finding.degraded(
            module.name(),
            "each rank has " + rows + " rows, which is no multiple of 64, so vLLM leaves DeepGEMM"
                + " for a slower kernel",
            "Use FP8_DYNAMIC for it."));
  }

  private static Optional<Finding> marlin(ServedModule module, QuantizationArgs weights) {
    int group = weights.groupSize().orElse(-1);
    return when(
        !MARLIN_GROUPS.contains(group),
        Finding.degraded(
            module.name(),
            "Marlin and Machete have no kernel for groups of " + group,
            "Use groups of 32, 64 or 128."));
  }

  /** The whole where it cannot be dealt out evenly, which another check says. */
  private static long perRank(long size, long parts) {
    return size % parts == 0 ? size / parts : size;
  }

  private static String size(long rows, long cols) {
    return rows + " rows and " + cols + " columns";
  }

  private static Optional<Finding> when(boolean condition, Finding finding) {
    return condition ? Optional.of(finding) : Optional.empty();
  }
}
