package dev.quern.pipeline;

import dev.quern.formats.safetensors.ShardPlan;
import dev.quern.formats.safetensors.TensorSpec;
import java.util.ArrayList;
import java.util.List;

/** Deals out the tensors of a plan to files. */
final class Shards {
  private static final int MAX = 1000;

  private Shards() {}

  /**
   * @param added tensors that come from none of the source
   * @throws QuernException when there would be more files than can be open
   */
  static ShardPlan plan(List<TensorPlan> tensors, List<TensorSpec> added, long maxShardBytes) {
    List<List<TensorSpec>> outputs = new ArrayList<>();
    tensors.forEach(tensor -> outputs.add(tensor.outputs()));
    added.forEach(tensor -> outputs.add(List.of(tensor)));
    ShardPlan shards = ShardPlan.of(outputs, maxShardBytes);
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
