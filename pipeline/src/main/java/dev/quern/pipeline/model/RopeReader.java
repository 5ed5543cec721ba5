package dev.quern.pipeline.model;

import dev.quern.engine.model.RopeScaling;
import dev.quern.engine.model.RopeSpec;
import dev.quern.formats.json.Json;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Rotary embeddings out of config.json: {@code rope_parameters}, as transformers 5 writes it, with
 * a member for each type of layer or for all; else {@code rope_theta} and {@code rope_scaling}, as
 * transformers 4 did.
 *
 * <p>Source: transformers 5.18, {@code modeling_rope_utils}.
 */
final class RopeReader {
  private static final String SLIDING = "sliding_attention";
  private static final String FULL = "full_attention";
  private static final String ORIGINAL = "original_max_position_embeddings";

  private final Settings config;
  private final int headSize;

  RopeReader(Settings config, int headSize) {
    this.config = config;
    this.headSize = headSize;
  }

  /**
   * The embedding of layers that slide, or of those that do not.
   *
   * @param localTheta the base of sliding layers in transformers 4's form, where they differ
   */
  RopeSpec read(boolean sliding, double defaultTheta, OptionalDouble localTheta) {
    Optional<Json.Obj> parameters = config.json().object("rope_parameters");
    if (parameters.isPresent()) {
      Json.Obj all = parameters.get();
      boolean byType = all.has(SLIDING) || all.has(FULL);
      Json.Obj own = byType ? all.object(sliding ? SLIDING : FULL).orElse(Json.Obj.empty()) : all;
      double theta = sliding && byType ? localTheta.orElse(defaultTheta) : defaultTheta;
      return spec(new Settings(own), theta);
    }
    if (sliding && localTheta.isPresent()) {
      double theta = config.positive("rope_local_base_freq", localTheta.getAsDouble());
      return new RopeSpec(theta, dims(config), new RopeScaling.None());
    }
    Json.Obj scaling = config.json().object("rope_scaling").orElse(Json.Obj.empty());
    return spec(new Settings(scaling), config.positive("rope_theta", defaultTheta));
  }

  private RopeSpec spec(Settings rope, double defaultTheta) {
    double theta = rope.positive("rope_theta", defaultTheta);
    return new RopeSpec(theta, dims(rope), scaling(rope));
  }

  private int dims(Settings rope) {
    double factor =
        rope.positive("partial_rotary_factor", config.positive("partial_rotary_factor", 1));
    int dims = (int) (headSize * factor);
    if (dims < 2 || dims % 2 != 0 || dims > headSize) {
      throw config.wrong(
          "partial_rotary_factor",
          "such that an even number of a head's " + headSize + " elements turns",
          Double.toString(factor));
    }
    return dims;
  }

  private RopeScaling scaling(Settings rope) {
    String type =
        rope.json().string("rope_type").or(() -> rope.json().string("type")).orElse("default");
    return switch (type) {
      case "default" -> new RopeScaling.None();
      case "linear" -> new RopeScaling.Linear(rope.positive("factor"));
      case "dynamic" ->
          new RopeScaling.Dynamic(rope.positive("factor"), config.size("max_position_embeddings"));
      case "yarn" -> yarn(rope);
      case "llama3" ->
          new RopeScaling.Llama3(
              rope.positive("factor"),
              rope.positive("low_freq_factor"),
              rope.positive("high_freq_factor"),
              original(rope));
      case "longrope", "su" -> longRope(rope);
      default ->
          throw rope.wrong("rope_type", "default, linear, dynamic, yarn, llama3 or longrope", type);
    };
  }

  private int original(Settings rope) {
    if (config.json().has(ORIGINAL)) {
      return config.size(ORIGINAL);
    }
    return rope.json().has(ORIGINAL) ? rope.size(ORIGINAL) : config.size("max_position_embeddings");
  }

  /** The factor, which some leave to be found from the two lengths. */
  private double factor(Settings rope) {
    return rope.json().number("factor").isPresent()
        ? rope.positive("factor")
        : (double) config.size("max_position_embeddings") / original(rope);
  }

  private RopeScaling yarn(Settings rope) {
    double factor = factor(rope);
    double attention =
        RopeScaling.Yarn.attentionFactor(
            factor, optional(rope, "mscale"), optional(rope, "mscale_all_dim"));
    return new RopeScaling.Yarn(
        factor,
        original(rope),
        rope.positive("beta_fast", 32),
        rope.positive("beta_slow", 1),
        rope.is("truncate", true),
        rope.positive("attention_factor", attention));
  }

  private static OptionalDouble optional(Settings rope, String key) {
    return rope.json().number(key).map(OptionalDouble::of).orElse(OptionalDouble.empty());
  }

  private RopeScaling longRope(Settings rope) {
    int original = original(rope);
    double factor = factor(rope);
    double attention =
        factor <= 1 ? 1 : Math.sqrt(1 + StrictMath.log(factor) / StrictMath.log(original));
    return new RopeScaling.Long(
        factors(rope, "short_factor"),
        factors(rope, "long_factor"),
        original,
        rope.positive("attention_factor", attention));
  }

  private List<Double> factors(Settings rope, String key) {
    int expected = dims(rope) / 2;
    List<Json> items = rope.json().array(key).orElse(List.of());
    List<Double> factors =
        items.stream()
            .filter(Json.Num.class::isInstance)
            .map(item -> ((Json.Num) item).doubleValue())
            .filter(value -> value > 0)
            .toList();
    if (factors.size() != expected || items.size() != expected) {
      throw rope.wrong(key, "a list of " + expected + " numbers above 0", items.size() + " items");
    }
    return factors;
  }
}
