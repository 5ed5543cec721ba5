package dev.quern.pipeline;

import dev.quern.formats.safetensors.ShardPlan;
import java.util.List;

/** Deals out the tensors of a plan to files. */
final class Shards {
  private static final int MAX = 1000;

  private Shards() {}

  /**
   * @throws QuernException when there would be more files than can be open
   */
  static ShardPlan plan(List<TensorPlan> tensors, long maxShardBytes) {
    ShardPlan shards =
        ShardPlan.of(tensors.stream().map(TensorPlan::outputs).toList(), maxShardBytes);
    if (shards.shards().size() > MAX) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          "--max-shard-size",
          maxShardBytes
              + " bytes give "
              + shards.shards().size()
              + " files, and at most "
              + MAX
              + " can be open at a time",
          "Give a larger size.");
    }
    return shards;
  }
}
