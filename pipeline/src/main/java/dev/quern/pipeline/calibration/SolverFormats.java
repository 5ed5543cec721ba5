package dev.quern.pipeline.calibration;

import dev.quern.engine.numeric.DType;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.quantization.Nvfp4Scales;
import dev.quern.engine.quantization.ScaleGrid;
import dev.quern.engine.solver.ActivationOrder;
import dev.quern.engine.solver.GptqOptions;
import dev.quern.engine.solver.StoredFormat;
import dev.quern.formats.compressedtensors.ActivationOrdering;
import dev.quern.formats.compressedtensors.CompressionFormat;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.compressedtensors.QuantizationStrategy;
import dev.quern.formats.compressedtensors.QuantizationType;
import dev.quern.formats.recipe.SolverChoice;
import java.util.Optional;
import java.util.OptionalInt;

/** From schemes and rules to what solvers of the engine are told. */
public final class SolverFormats {
  private SolverFormats() {}

  /**
   * Why weights of a scheme cannot be solved, for people; empty when they can.
   *
   * @param scheme with weights
   */
  public static Optional<String> problem(QuantizationScheme scheme) {
    QuantizationArgs args = scheme.weights().orElseThrow();
    int cols = args.groupSize().orElse(-1) > 0 ? args.groupSize().getAsInt() : 128;
    if (of(scheme, FloatType.BF16, 1, cols, 1).isEmpty()) {
      return Optional.of(
          "its weights, "
              + args.numBits()
              + "-bit "
              + args.type().configName()
              + "s by "
              + args.strategy().configName()
              + ", cannot be solved in this version");
    }
    if (!args.observer().orElse("memoryless_minmax").equals("memoryless_minmax")) {
      return Optional.of(
          "solvers take ranges from memoryless_minmax in this version, not from "
              + args.observer().get());
    }
    boolean hasIndex =
        args.type() == QuantizationType.INT && args.strategy() == QuantizationStrategy.GROUP;
    return args.hasGroupIndex() && !hasIndex
        ? Optional.of("actorder group needs integers in groups: no other format has weight_g_idx")
        : Optional.empty();
  }

  /**
   * What a matrix is stored as; empty when it cannot be solved.
   *
   * @param globalScale of NVFP4; ignored by others
   */
  static Optional<StoredFormat> of(
      QuantizationScheme scheme, FloatType type, int rows, int cols, float globalScale) {
    QuantizationArgs args = scheme.weights().orElseThrow();
    if (args.isMicroscaling()) {
      return Optional.of(
          StoredFormat.mx(
              type,
              args.numBits() == 4 ? StoredFormat.Element.E2M1 : StoredFormat.Element.E4M3,
              rows,
              cols));
    }
    if (isNvfp4(args)) {
      return Optional.of(StoredFormat.nvfp4(type, rows, cols, globalScale));
    }
    Optional<ScaleGrid> grid = grid(args, rows, cols);
    if (args.scaleDtype().isPresent() || grid.isEmpty()) {
      return Optional.empty();
    }
    if (args.type() == QuantizationType.FLOAT) {
      return args.numBits() == 8 && args.symmetric()
          ? Optional.of(StoredFormat.e4m3(type, grid.get()))
          : Optional.empty();
    }
    boolean zeroPoints =
        args.symmetric()
            || args.zpDtype() == DType.I8
                && !(args.strategy() == QuantizationStrategy.TENSOR
                    && scheme.formatOrDefault() == CompressionFormat.PACK_QUANTIZED);
    return args.numBits() >= 2 && args.numBits() <= 8 && zeroPoints
        ? Optional.of(StoredFormat.integer(type, args.numBits(), args.symmetric(), grid.get()))
        : Optional.empty();
  }

  /** Whether these are NVFP4 weights, with a global scale. */
  static boolean isNvfp4(QuantizationArgs args) {
    return args.type() == QuantizationType.FLOAT
        && args.numBits() == 4
        && args.strategy() == QuantizationStrategy.TENSOR_GROUP
        && args.groupSize().equals(OptionalInt.of(Nvfp4Scales.GROUP_SIZE))
        && args.scaleDtype().equals(Optional.of(DType.F8_E4M3));
  }

  private static Optional<ScaleGrid> grid(QuantizationArgs args, int rows, int cols) {
    return switch (args.strategy()) {
      case TENSOR -> Optional.of(ScaleGrid.tensor(rows, cols));
      case CHANNEL -> Optional.of(ScaleGrid.channel(rows, cols));
      case GROUP ->
          Optional.of(ScaleGrid.block(rows, cols, 1, args.groupSize().orElseThrow()))
              .filter(g -> cols % g.blockCols() == 0);
      case BLOCK ->
          args.blockStructure().map(b -> ScaleGrid.block(rows, cols, b.rows(), b.columns()));
      default -> Optional.empty();
    };
  }

  /** GPTQ's options. */
  static GptqOptions options(SolverChoice solver, QuantizationArgs args) {
    ActivationOrder order =
        args.actorder()
            .map(
                given ->
                    given.canonical() == ActivationOrdering.GROUP
                        ? ActivationOrder.GROUP
                        : ActivationOrder.STATIC)
            .orElse(ActivationOrder.NONE);
    return GptqOptions.reference()
        .withOrder(order)
        .withBlockSize(solver.blockSize())
        .withDampening((float) solver.dampening());
  }
}
