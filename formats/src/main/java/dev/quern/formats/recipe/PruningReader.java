package dev.quern.formats.recipe;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.ConfigReader;
import dev.quern.formats.compressedtensors.ModuleClass;
import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonWriter;
import dev.quern.formats.recipe.SparsityChoice.Algorithm;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Reads the arguments of modifiers that make weights zero.
 *
 * <p>Source: llm-compressor (2026-08), {@code modifiers/pruning/}: {@code sparsegpt/sgpt_base.py},
 * {@code sparsegpt/base.py}, {@code wanda/base.py}, {@code magnitude/base.py}, {@code
 * constant/base.py}. {@code refit} and, of the last two, {@code ignore} are ours.
 */
final class PruningReader {
  private static final String SPARSITY = "sparsity";
  private static final String FINAL_SPARSITY = "final_sparsity";
  private static final String STRUCTURE = "mask_structure";

  private static final Set<String> ONE_SHOT =
      Set.of("ignore", STRUCTURE, SPARSITY, "targets", "sequential_update", "refit");
  private static final Set<String> OWL = Set.of("owl_lmbda", "owl_m", "sparsity_profile");
  private static final Set<String> SPARSEGPT =
      Set.of("block_size", "dampening_frac", "offload_hessians", "preserve_sparsity_mask");
  private static final Set<String> MAGNITUDE =
      Set.of(
          "apply_globally",
          FINAL_SPARSITY,
          "ignore",
          "init_sparsity",
          "leave_enabled",
          STRUCTURE,
          "refit",
          "scheduler_args",
          "targets",
          "update_scheduler");
  private static final Set<String> CONSTANT = Set.of("ignore", "targets");

  private final Algorithm algorithm;
  private final Json.Obj json;
  private final ConfigReader in;

  private PruningReader(Algorithm algorithm, Json.Obj json) {
    this.algorithm = algorithm;
    this.json = json;
    this.in = new ConfigReader(json);
  }

  /**
   * @throws CheckpointException for an unknown key, and for what contradicts itself or cannot be
   *     done
   */
  static PruningModifier read(Algorithm algorithm, Json.Obj json) {
    return new PruningReader(algorithm, json).read();
  }

  private PruningModifier read() {
    refuseProfile();
    Set<String> known = new HashSet<>(ModifierReader.COMMON_KEYS);
    known.addAll(keys());
    Json.Obj given = json;
    for (String key : OWL) {
      given = given.without(key); // null says that there is none
    }
    new ConfigReader(given).allowOnly(known);
    if (json.bool("apply_globally").orElse(false)) {
      throw new CheckpointException(
          in.where("apply_globally"),
          "the share of zeros is met in each matrix, not over all of them",
          "Leave it out, as llm-compressor demands, too.");
    }
    List<String> targets =
        in.stringOrStrings("targets")
            .orElseGet(() -> targetsAreRequired() ? List.of() : List.of(ModuleClass.LINEAR));
    if (targets.isEmpty()) {
      throw new CheckpointException(
          in.where("targets"),
          "expected at least one entry, found none",
          "Name what is pruned, for example targets: [Linear].");
    }
    return new PruningModifier(choice(), targets, in.stringOrStrings("ignore").orElse(List.of()));
  }

  private boolean targetsAreRequired() {
    return algorithm == Algorithm.MAGNITUDE || algorithm == Algorithm.CONSTANT;
  }

  private Set<String> keys() {
    return switch (algorithm) {
      case MAGNITUDE -> MAGNITUDE;
      case CONSTANT -> CONSTANT;
      case WANDA -> ONE_SHOT;
      case SPARSEGPT -> {
        Set<String> all = new HashSet<>(ONE_SHOT);
        all.addAll(SPARSEGPT);
        yield all;
      }
    };
  }

  private void refuseProfile() {
    for (String key : OWL) {
      if (json.find(key).filter(value -> value != Json.Null.NULL).isPresent()) {
        throw new CheckpointException(
            in.where(key),
            "shares of zeros that differ from layer to layer (OWL) are not there",
            "Leave it out, and give layers shares of their own by several modifiers with targets.");
      }
    }
  }

  private SparsityChoice choice() {
    if (algorithm == Algorithm.CONSTANT) {
      return SparsityChoice.of(algorithm, SparsityChoice.UNSTRUCTURED, 0);
    }
    String structure = structure();
    String key = algorithm == Algorithm.MAGNITUDE ? FINAL_SPARSITY : SPARSITY;
    double share = share(key, structure);
    return valid(
        key,
        () ->
            SparsityChoice.of(algorithm, structure, share)
                .withBlockSize(whole("block_size", SolverChoice.DEFAULT_BLOCK_SIZE))
                .withDampening(json.number("dampening_frac").orElse(SolverChoice.DEFAULT_DAMPENING))
                .withPreserveMask(json.bool("preserve_sparsity_mask").orElse(false))
                .withRefit(whole("refit", 0)));
  }

  /** {@code unstructured} is the word of the magnitude modifier. */
  private String structure() {
    String text = json.string(STRUCTURE).orElse(SparsityChoice.UNSTRUCTURED);
    String structure = text.equals("unstructured") ? SparsityChoice.UNSTRUCTURED : text.strip();
    valid(STRUCTURE, () -> SparsityChoice.shareOf(structure));
    return structure;
  }

  private double share(String key, String structure) {
    Optional<Json> value = json.find(key).filter(found -> found != Json.Null.NULL);
    if (value.isPresent() && value.get() instanceof Json.Arr) {
      throw new CheckpointException(
          in.where(key),
          "expected one share for all targets, found a list",
          "Write several modifiers, each with its targets and its share.");
    }
    if (value.isPresent()) {
      return json.number(key).orElseThrow();
    }
    if (structure.equals(SparsityChoice.UNSTRUCTURED)) {
      throw new CheckpointException(
          json.where(),
          "expected " + JsonWriter.quote(key) + ", the share of zeros, found none",
          "Add for example " + key + ": 0.5, or mask_structure: '2:4'.");
    }
    return SparsityChoice.shareOf(structure);
  }

  private int whole(String key, int usual) {
    long value = json.integer(key).orElse((long) usual);
    return Math.clamp(value, Integer.MIN_VALUE, Integer.MAX_VALUE);
  }

  private <T> T valid(String key, Supplier<T> build) {
    try {
      return build.get();
    } catch (IllegalArgumentException e) {
      throw new CheckpointException(in.where(key), e.getMessage(), "Correct the value.", e);
    }
  }
}
