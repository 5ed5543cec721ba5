package dev.quern.formats.recipe;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.ConfigReader;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.json.Json;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * Observers that a modifier names for all its schemes: {@code weight_observer} and its like, or
 * {@code observer} with one name for each kind.
 */
record ObserverChoice(Optional<String> weights, Optional<String> input, Optional<String> output) {
  static ObserverChoice read(Json.Obj json) {
    ObserverChoice single =
        new ObserverChoice(
            json.string("weight_observer"),
            json.string("input_observer"),
            json.string("output_observer"));
    Optional<Json.Obj> together = json.object("observer");
    if (together.isEmpty()) {
      return single;
    }
    if (!single.equals(new ObserverChoice(Optional.empty(), Optional.empty(), Optional.empty()))) {
      throw new CheckpointException(
          json.where(),
          "observer is given beside weight_observer, input_observer or output_observer",
          "Keep one of the two forms.");
    }
    Json.Obj names = together.get();
    new ConfigReader(names).allowOnly(Set.of("input", "output", "weights"));
    return new ObserverChoice(
        names.string("weights"), names.string("input"), names.string("output"));
  }

  /** The scheme with these observers in the place of its own. */
  QuantizationScheme applyTo(QuantizationScheme scheme) {
    return new QuantizationScheme(
        scheme.targets(),
        observed(scheme.weights(), weights),
        observed(scheme.inputActivations(), input),
        observed(scheme.outputActivations(), output),
        scheme.format());
  }

  private static Optional<QuantizationArgs> observed(
      Optional<QuantizationArgs> args, Optional<String> observer) {
    return observer.isEmpty()
        ? args
        : args.map(a -> a.toBuilder().observer(canonical(observer.get())).build());
  }

  /** Dashes count as underscores and case does not count, as in the reference's registry. */
  static String canonical(String observer) {
    return observer.toLowerCase(Locale.ROOT).replace('-', '_');
  }
}
