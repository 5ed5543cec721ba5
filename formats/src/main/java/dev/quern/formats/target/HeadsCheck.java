package dev.quern.formats.target;

import java.util.List;

/**
 * Attention heads go to ranks whole: their number is a multiple of the ranks, and that of key-value
 * heads is a multiple or a divisor.
 *
 * <p>Source: vLLM, {@code config/model.py}, {@code verify_with_parallel_config}.
 */
final class HeadsCheck implements EngineCheck {
  @Override
  public List<Finding> check(ServedModel model) {
    int ranks = model.tensorParallel();
    if (model.heads().isPresent() && model.heads().getAsLong() % ranks != 0) {
      return List.of(
          Finding.refused(
              "config.json",
              "num_attention_heads " + model.heads().getAsLong() + " is no multiple of " + ranks
                  + " ranks",
              "Use a number of ranks that divides it."));
    }
    if (model.keyValueHeads().isPresent()) {
      long heads = model.keyValueHeads().getAsLong();
      if (heads % ranks != 0 && ranks % heads != 0) {
        return List.of(
            Finding.refused(
                "config.json",
                "num_key_value_heads " + heads + " neither divides nor is a multiple of " + ranks
                    + " ranks",
                "Use a number of ranks that divides it, or that it divides."));
      }
    }
    return List.of();
  }
}
