package dev.quern.cli;

import dev.quern.pipeline.CompressionOptions;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How the codes of weights are found. */
final class SolverOptions {
  @Option(
      names = "--algorithm",
      paramLabel = "NAME",
      description =
          "How codes are found: rtn (to the nearest) or gptq (column by column, the others making"
              + " up for the error; needs calibration data). Default: what the recipe says, rtn"
              + " with --scheme.")
  private String algorithm;

  @Option(
      names = "--actorder",
      paramLabel = "ORDER",
      description =
          "In which order gptq goes through columns: static (largest inputs first), group (so, and"
              + " groups are formed in that order), none. Default: static.")
  private String order;

  @Option(
      names = "--block-size",
      paramLabel = "N",
      description = "Columns that gptq goes through before it updates the rest. Default: 128.")
  private Integer blockSize;

  @Option(
      names = "--dampening",
      paramLabel = "X",
      description =
          "What gptq adds to the Hessian's diagonal, in units of its mean. Default: 0.01.")
  private Double dampening;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  CompressionOptions applyTo(CompressionOptions options) {
    if (algorithm == null) {
      refuseIdle("--actorder", order);
      refuseIdle("--block-size", blockSize);
      refuseIdle("--dampening", dampening);
      return options;
    }
    return options.withAlgorithm(
        algorithm,
        Optional.ofNullable(order),
        blockSize == null ? OptionalInt.empty() : OptionalInt.of(blockSize),
        dampening == null ? OptionalDouble.empty() : OptionalDouble.of(dampening));
  }

  private void refuseIdle(String name, Object value) {
    if (value != null) {
      throw new ParameterException(
          spec.commandLine(), name + " is for solvers: give --algorithm gptq, too");
    }
  }
}
