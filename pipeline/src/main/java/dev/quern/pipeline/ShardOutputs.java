package dev.quern.pipeline;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.safetensors.SafetensorsLayout;
import dev.quern.formats.safetensors.SafetensorsWriter;
import dev.quern.formats.safetensors.ShardPlan;
import dev.quern.formats.safetensors.TensorSpec;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * The output files. One opens with its first piece and closes with its last; a thread of its own
 * then makes the system put it on the disk, while others compute.
 */
final class ShardOutputs implements AutoCloseable {
  /** How readers know that tensors are PyTorch's: transformers asks for it. */
  private static final TreeMap<String, String> METADATA = new TreeMap<>(Map.of("format", "pt"));

  /**
   * Bytes after which the system starts to write, so that the disk works while the processor does.
   */
  private static final long FLUSH_BYTES = 128L << 20;

  private final Path folder;
  private final List<Shard> shards = new ArrayList<>();
  private final Map<String, Shard> shardOf = new HashMap<>();
  private final ExecutorService flusher =
      Executors.newSingleThreadExecutor(
          Thread.ofPlatform().name("quern-flush").daemon(true).factory());
  private final List<Future<?>> flushes = new ArrayList<>();

  ShardOutputs(Path folder, ShardPlan plan) {
    this.folder = folder;
    for (ShardPlan.Shard planned : plan.shards()) {
      Shard shard = new Shard(planned);
      shards.add(shard);
      planned.tensors().forEach(tensor -> shardOf.put(tensor.name(), shard));
    }
  }

  /** Bytes of all files that will be written. */
  static long fileBytes(ShardPlan plan) {
    return plan.shards().stream()
        .mapToLong(shard -> SafetensorsLayout.of(shard.tensors(), METADATA).fileBytes())
        .sum();
  }

  /** The file that a tensor goes to. */
  String fileOf(String tensor) {
    return shardOf.get(tensor).plan.fileName();
  }

  /** Writes a piece of a tensor; from any thread, in any order. */
  void write(TensorSpec tensor, long offset, MemorySegment bytes) {
    try {
      shardOf.get(tensor.name()).write(tensor.name(), offset, bytes);
    } catch (CheckpointException e) {
      throw new QuernException(QuernException.Kind.OUTPUT, e);
    }
  }

  /** Closes every file, complete; {@link #awaitDisk} still has to be called. */
  void complete() {
    for (Shard shard : shards) {
      shard.complete();
    }
  }

  /** Waits until everything is on the disk. */
  void awaitDisk() throws InterruptedException {
    List<Future<?>> pending;
    synchronized (flushes) {
      pending = List.copyOf(flushes);
    }
    for (Future<?> flush : pending) {
      try {
        flush.get();
      } catch (ExecutionException e) {
        if (e.getCause() instanceof CheckpointException cause) {
          throw new QuernException(QuernException.Kind.OUTPUT, cause);
        }
        throw new IllegalStateException(e.getCause());
      }
    }
  }

  /** Deletes what is not complete. */
  @Override
  public void close() {
    flusher.shutdown();
    shards.forEach(Shard::abort);
    flusher.close();
  }

  private void flush(Runnable work) {
    synchronized (flushes) {
      flushes.add(flusher.submit(work));
    }
  }

  private final class Shard {
    private final ShardPlan.Shard plan;
    private SafetensorsWriter writer;
    private long remaining;
    private long unflushed;
    private boolean aborted;

    Shard(ShardPlan.Shard plan) {
      this.plan = plan;
      this.remaining = plan.bytes();
    }

    void write(String tensor, long offset, MemorySegment bytes) {
      if (bytes.byteSize() == 0) {
        // Nothing to do, and after the last byte the file may be closed already.
        return;
      }
      SafetensorsWriter target = writer();
      target.write(tensor, offset, bytes);
      wrote(target, bytes.byteSize());
    }

    private synchronized SafetensorsWriter writer() {
      if (aborted) {
        throw new IllegalStateException(plan.fileName() + " was given up");
      }
      if (writer == null) {
        writer =
            SafetensorsWriter.create(folder.resolve(plan.fileName()), plan.tensors(), METADATA);
      }
      return writer;
    }

    private synchronized void wrote(SafetensorsWriter target, long bytes) {
      remaining -= bytes;
      unflushed += bytes;
      if (remaining == 0 || unflushed >= FLUSH_BYTES) {
        unflushed = 0;
        boolean last = remaining == 0;
        flush(
            () -> {
              target.force();
              if (last) {
                target.close();
              }
            });
      }
    }

    // A shard of empty tensors alone sees no write.
    synchronized void complete() {
      if (plan.bytes() == 0) {
        SafetensorsWriter target = writer();
        target.force();
        target.close();
      }
    }

    synchronized void abort() {
      aborted = true;
      if (writer != null) {
        writer.abort();
      }
    }
  }
}
