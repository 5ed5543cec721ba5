package dev.quern.formats.target;

import dev.quern.formats.compressedtensors.BlockStructure;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * With tensor parallelism each rank holds whole groups and whole blocks.
 *
 * <p>A column-parallel matrix ({@code q_proj}, {@code up_proj}, ...) is cut by rows, a row-parallel
 * one ({@code o_proj}, {@code down_proj}) by columns.
 *
 * <p>Source: vLLM, {@code kernels/linear/mixed_precision}, {@code quantization/utils/fp8_utils.py}.
 */
final class PartitionCheck implements EngineCheck {
  @Override
  public List<Finding> check(ServedModel model) {
    List<Finding> findings = new ArrayList<>();
    int ranks = model.tensorParallel();
    if (ranks == 1) {
      return findings;
    }
    for (ServedModule module : model.modules()) {
      switch (module.cut()) {
        case COLUMN_PARALLEL -> rows(model, module).ifPresent(findings::add);
        case ROW_PARALLEL -> columns(module, ranks).ifPresent(findings::add);
        case NONE -> {
          // Whole on each rank, or of a kind that is not known here.
        }
      }
    }
    return findings;
  }

  private static Optional<Finding> rows(ServedModel model, ServedModule module) {
    long ranks = model.rowParts(module);
    if (module.rows() % ranks != 0) {
      return Optional.of(uneven(module, module.rows() + " rows", ranks));
    }
    Optional<BlockStructure> block = module.weights().flatMap(QuantizationArgs::blockStructure);
    long perRank = module.rows() / ranks;
    return block
        .filter(b -> perRank % b.rows() != 0)
        .map(b -> block(module, perRank + " rows", b.rows()));
  }

  private static Optional<Finding> columns(ServedModule module, int ranks) {
    if (module.cols() % ranks != 0) {
      return Optional.of(uneven(module, module.cols() + " columns", ranks));
    }
    long perRank = module.cols() / ranks;
    Optional<BlockStructure> block = module.weights().flatMap(QuantizationArgs::blockStructure);
    if (block.isPresent() && perRank % block.get().columns() != 0) {
      return Optional.of(block(module, perRank + " columns", block.get().columns()));
    }
    OptionalInt group =
        module.weights().map(QuantizationArgs::groupSize).orElse(OptionalInt.empty());
    if (group.isEmpty() || group.getAsInt() <= 0 || perRank % group.getAsInt() == 0) {
      return Optional.empty();
    }
    int size = group.getAsInt();
    String problem =
        "each rank has "
            + perRank
            + " of its "
            + module.cols()
            + " columns, which groups of "
            + size
            + " do not divide";
    long most = mostRanks(module.cols(), size, ranks);
    String fewer = most == 1 ? "Use one rank" : "Use at most " + most + " ranks";
    return Optional.of(
        Finding.refused(
            module.name(),
            problem,
            module.weights().orElseThrow().hasFreeGroupSize()
                ? fewer
                    + ", a scheme by channel, or a recipe with a group_size that divides "
                    + perRank
                    + "."
                : fewer + ", or a scheme by channel such as FP8_DYNAMIC."));
  }

  /** The largest number of ranks up to the given one whose parts are whole groups. */
  private static long mostRanks(long columns, int group, int ranks) {
    for (int fewer = ranks; fewer > 1; fewer--) {
      if (columns % fewer == 0 && columns / fewer % group == 0) {
        return fewer;
      }
    }
    return 1;
  }

  private static Finding uneven(ServedModule module, String what, long ranks) {
    return Finding.refused(
        module.name(),
        "its " + what + " cannot be dealt out evenly to " + ranks + " ranks",
        "Use a number of ranks that divides them.");
  }

  private static Finding block(ServedModule module, String what, int side) {
    return Finding.refused(
        module.name(),
        "each rank has " + what + ", which blocks of " + side + " do not divide",
        "Use fewer ranks, or FP8_DYNAMIC, whose scales are by row.");
  }
}
