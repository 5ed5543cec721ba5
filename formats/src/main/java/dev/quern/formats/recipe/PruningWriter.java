package dev.quern.formats.recipe;

import dev.quern.formats.json.Json;
import dev.quern.formats.recipe.SparsityChoice.Algorithm;

/**
 * Writes the arguments of modifiers that make weights zero, as {@link PruningReader} reads them.
 */
final class PruningWriter {
  private PruningWriter() {}

  static Json.Obj arguments(PruningModifier modifier) {
    SparsityChoice choice = modifier.choice();
    Json targets = RecipeWriter.strings(modifier.targets());
    Json.Obj result = Json.Obj.empty();
    switch (choice.algorithm()) {
      case CONSTANT -> result = result.with("targets", targets);
      case MAGNITUDE ->
          result =
              result
                  .with("targets", targets)
                  .with("init_sparsity", Json.of(0.0))
                  .with("final_sparsity", Json.of(choice.sparsity()))
                  .with(
                      "mask_structure",
                      Json.of(choice.isUnstructured() ? "unstructured" : choice.maskStructure()));
      case WANDA, SPARSEGPT ->
          result =
              result
                  .with("sparsity", Json.of(choice.sparsity()))
                  .with("mask_structure", Json.of(choice.maskStructure()))
                  .with("targets", targets);
    }
    if (choice.algorithm() == Algorithm.SPARSEGPT) {
      result =
          result
              .with("block_size", Json.of(choice.blockSize()))
              .with("dampening_frac", Json.of(choice.dampening()))
              .with("preserve_sparsity_mask", Json.of(choice.preserveMask()));
    }
    if (choice.refit() > 0) {
      result = result.with("refit", Json.of(choice.refit()));
    }
    return modifier.ignore().isEmpty()
        ? result
        : result.with("ignore", RecipeWriter.strings(modifier.ignore()));
  }
}
