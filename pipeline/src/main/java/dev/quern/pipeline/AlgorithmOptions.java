package dev.quern.pipeline;

import dev.quern.formats.compressedtensors.ActivationOrdering;
import dev.quern.formats.recipe.SolverChoice;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/**
 * The values of {@code --algorithm} and its settings.
 *
 * @param solver how codes are found
 * @param order in which columns are solved; empty for the order of the matrix
 */
record AlgorithmOptions(SolverChoice solver, Optional<ActivationOrdering> order) {
  private static final String NONE = "none";

  /**
   * @param order a word of {@code actorder}, or {@code none}
   * @throws QuernException for a name or a number that cannot be used
   */
  static AlgorithmOptions parse(
      String algorithm, Optional<String> order, OptionalInt blockSize, OptionalDouble dampening) {
    SolverChoice choice = SolverChoice.of(algorithm(algorithm));
    try {
      choice = blockSize.isPresent() ? choice.withBlockSize(blockSize.getAsInt()) : choice;
    } catch (IllegalArgumentException e) {
      throw refused("--block-size", "at least 1", blockSize.getAsInt());
    }
    try {
      choice = dampening.isPresent() ? choice.withDampening(dampening.getAsDouble()) : choice;
    } catch (IllegalArgumentException e) {
      throw refused("--dampening", "a finite number of at least 0", dampening.getAsDouble());
    }
    return new AlgorithmOptions(choice, order(order));
  }

  private static SolverChoice.Algorithm algorithm(String name) {
    List<SolverChoice.Algorithm> known = List.of(SolverChoice.Algorithm.values());
    return known.stream()
        .filter(algorithm -> algorithm.name().equalsIgnoreCase(name))
        .findFirst()
        .orElseThrow(
            () ->
                refused(
                    "--algorithm",
                    known.stream()
                        .map(a -> a.name().toLowerCase(Locale.ROOT))
                        .collect(Collectors.joining(" or ")),
                    name));
  }

  /** As the reference: the largest inputs first, when nothing is said. */
  private static Optional<ActivationOrdering> order(Optional<String> order) {
    if (order.isEmpty()) {
      return Optional.of(ActivationOrdering.STATIC);
    }
    if (order.get().equals(NONE)) {
      return Optional.empty();
    }
    List<ActivationOrdering> known = List.of(ActivationOrdering.values());
    return Optional.of(
        known.stream()
            .filter(o -> o.configName().equals(order.get()))
            .findFirst()
            .orElseThrow(
                () ->
                    refused(
                        "--actorder",
                        known.stream()
                                .map(ActivationOrdering::configName)
                                .collect(Collectors.joining(", "))
                            + " or none",
                        order.get())));
  }

  private static QuernException refused(String option, String expected, Object found) {
    return new QuernException(
        QuernException.Kind.REQUEST,
        option,
        "expected " + expected + ", found " + found,
        "Give another value, or leave the option out.");
  }
}
