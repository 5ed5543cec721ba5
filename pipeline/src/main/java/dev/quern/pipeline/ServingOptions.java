package dev.quern.pipeline;

import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * How and where a checkpoint shall be served.
 *
 * @param targets names of GPUs and CPUs, separated by commas; {@code all}; empty for the usual ones
 * @param tensorParallel ranks that share each matrix
 * @param expertParallel ranks that share the experts of a layer
 * @param dtype vLLM's {@code --dtype}; empty for the model's own
 * @param linearBackend vLLM's {@code --linear-backend}
 * @param environment environment variables of the engine
 * @param table a kernel table; empty for the built-in one
 */
public record ServingOptions(
    String targets,
    int tensorParallel,
    int expertParallel,
    Optional<String> dtype,
    String linearBackend,
    Map<String, String> environment,
    Optional<Path> table) {
  private static final int MAX_RANKS = 1024;

  /** Checks the numbers. */
  public ServingOptions {
    Objects.requireNonNull(targets);
    environment = Map.copyOf(environment);
    requireRanks("--tensor-parallel", tensorParallel);
    requireRanks("--expert-parallel", expertParallel);
    if (dtype.isPresent() && !dtype.get().matches("bfloat16|float16")) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          "--dtype " + dtype.get(),
          "is no type that kernels take",
          "Use bfloat16 or float16.");
    }
  }

  private static void requireRanks(String option, int ranks) {
    if (ranks < 1 || ranks > MAX_RANKS) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          option + " " + ranks,
          "is out of range",
          "Use 1 to " + MAX_RANKS + ".");
    }
  }

  /** One rank, the engine's defaults, the built-in table. */
  public static ServingOptions of(String targets) {
    return new ServingOptions(targets, 1, 1, Optional.empty(), "auto", Map.of(), Optional.empty());
  }
}
