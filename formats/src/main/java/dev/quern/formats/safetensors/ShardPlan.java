package dev.quern.formats.safetensors;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Which tensors go into which file.
 *
 * <p>The rule is that of {@code save_pretrained}: units are taken in the given order; a unit that
 * alone exceeds the limit gets a shard of its own while the current shard stays open; any other
 * closes the current shard when it no longer fits.
 *
 * @param shards the files, numbered in this order; at least one
 */
public record ShardPlan(List<Shard> shards) {
  public ShardPlan {
    shards = List.copyOf(shards);
  }

  /**
   * One file.
   *
   * @param fileName {@code model.safetensors}, or {@code model-00001-of-00003.safetensors}
   * @param tensors its tensors in the given order
   */
  public record Shard(String fileName, List<TensorSpec> tensors) {
    public Shard {
      tensors = List.copyOf(tensors);
    }

    /** Bytes of all tensors, the header not counted. */
    public long bytes() {
      return ShardPlan.bytes(tensors);
    }
  }

  /**
   * Divides tensors among shards.
   *
   * @param units tensors that must stay in one file together, in the order to fill shards
   * @param maxShardBytes the most bytes of tensor data in a shard, unless one unit alone is larger
   */
  public static ShardPlan of(List<List<TensorSpec>> units, long maxShardBytes) {
    if (maxShardBytes < 1) {
      throw new IllegalArgumentException("shard size must be positive: " + maxShardBytes);
    }
    List<List<TensorSpec>> shards = new ArrayList<>();
    List<TensorSpec> current = new ArrayList<>();
    long currentBytes = 0;
    for (List<TensorSpec> unit : units) {
      long unitBytes = bytes(unit);
      if (unitBytes > maxShardBytes) {
        shards.add(unit);
        continue;
      }
      if (currentBytes > maxShardBytes - unitBytes) {
        shards.add(current);
        current = new ArrayList<>();
        currentBytes = 0;
      }
      current.addAll(unit);
      currentBytes += unitBytes;
    }
    if (!current.isEmpty() || shards.isEmpty()) {
      shards.add(current);
    }
    List<Shard> named = new ArrayList<>(shards.size());
    for (List<TensorSpec> tensors : shards) {
      named.add(new Shard(fileName(named.size() + 1, shards.size()), tensors));
    }
    return new ShardPlan(named);
  }

  /** The name of shard {@code number} of {@code count}, the first being 1. */
  public static String fileName(int number, int count) {
    return count == 1
        ? "model.safetensors"
        : String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", number, count);
  }

  private static long bytes(List<TensorSpec> tensors) {
    long sum = 0;
    for (TensorSpec tensor : tensors) {
      sum = Math.addExact(sum, tensor.bytes());
    }
    return sum;
  }
}
