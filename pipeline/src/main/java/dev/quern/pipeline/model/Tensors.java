package dev.quern.pipeline.model;

import dev.quern.engine.model.LinearSpec;
import dev.quern.engine.model.NormSpec;
import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.Json;
import dev.quern.pipeline.source.SourceModel;
import dev.quern.pipeline.source.SourceWeight;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A checkpoint's tensors by name: which there are, whether they have the right shape, which were
 * used.
 */
final class Tensors {
  private static final String REMEDY =
      "Check that the download is complete and that config.json belongs to these weights.";

  private final Json.Obj config;
  private final SourceModel model;
  private final Set<String> used = new HashSet<>();

  Tensors(Json.Obj config, SourceModel model) {
    this.config = config;
    this.model = model;
  }

  boolean has(String name) {
    return model.find(name).isPresent();
  }

  /** Notes a tensor that must be there with this shape. */
  void use(String name, long... shape) {
    SourceWeight weight =
        model
            .find(name)
            .orElseThrow(
                () ->
                    new CheckpointException(
                        config.where(), "expected a tensor " + name + ", found none", REMEDY));
    List<Long> expected = Arrays.stream(shape).boxed().toList();
    if (!weight.spec().shape().equals(expected)) {
      throw new CheckpointException(
          weight.place(),
          "expected shape " + expected + " by config.json, found " + weight.spec().shape(),
          REMEDY);
    }
    if (FloatType.of(weight.spec().dtype()).isEmpty()) {
      throw new CheckpointException(
          weight.place(),
          "expected elements of BF16, F16 or F32, found " + weight.spec().dtype(),
          REMEDY);
    }
    used.add(name);
  }

  /** Rows of a matrix that must be there. */
  int rows(String name) {
    List<Long> shape = model.find(name).map(weight -> weight.spec().shape()).orElse(List.of());
    if (shape.size() != 2 || shape.getFirst() > Integer.MAX_VALUE) {
      throw new CheckpointException(
          config.where(), "expected a matrix " + name + ", found shape " + shape, REMEDY);
    }
    return Math.toIntExact(shape.getFirst());
  }

  /** A linear layer; it has a bias when the checkpoint has one. */
  LinearSpec linear(String name, int inputs, int outputs) {
    use(name + ".weight", outputs, inputs);
    boolean bias = has(name + ".bias");
    if (bias) {
      use(name + ".bias", outputs);
    }
    return new LinearSpec(name, inputs, outputs, bias);
  }

  /** A norm that must be there. */
  NormSpec norm(String name, int size, double epsilon, boolean plusOne) {
    use(name + ".weight", size);
    return new NormSpec(name, (float) epsilon, plusOne);
  }

  /** A norm when the checkpoint has one. */
  Optional<NormSpec> optionalNorm(String name, int size, double epsilon, boolean plusOne) {
    return has(name + ".weight")
        ? Optional.of(norm(name, size, epsilon, plusOne))
        : Optional.empty();
  }

  /**
   * Refuses tensors of the decoder that no part of it used: a model that has more than its
   * architecture's table row would give other results.
   */
  void requireAllUsed(String prefix, String architecture) {
    for (SourceWeight weight : model.weights()) {
      String name = weight.name();
      if (name.startsWith(prefix)
          && !used.contains(name)
          && !name.endsWith("rotary_emb.inv_freq")) {
        throw new CheckpointException(
            weight.place(),
            "expected only tensors that a decoder of type " + architecture + " has, found " + name,
            "This variant of the architecture is not known; schemes without calibration work.");
      }
    }
  }
}
