package dev.quern.bench;

import dev.quern.engine.memory.NativeMemory;
import dev.quern.engine.parallel.Workers;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.safetensors.SafetensorsWriter;
import dev.quern.formats.safetensors.ShardPlan;
import dev.quern.formats.safetensors.ShardedIndex;
import dev.quern.formats.safetensors.TensorSpec;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Writes a Llama-shaped bf16 checkpoint of any size, for measuring whole runs: configuration,
 * shards and index are real, the weights are random, a tokenizer is missing. The same options give
 * the same bytes.
 */
public final class SyntheticCheckpoint {
  private static final int PIECE = 4 << 20;

  private SyntheticCheckpoint() {}

  private record Options(SyntheticModel model, int shards, Path output) {}

  private record Job(SafetensorsWriter writer, TensorSpec tensor) {}

  /**
   * @param args {@code --size 2g --shards 2 --output DIR}, and for other shapes {@code --hidden},
   *     {@code --intermediate}, {@code --vocabulary}
   */
  public static void main(String[] args) throws Exception {
    if (List.of(args).contains("--help") || List.of(args).contains("-h")) {
      System.out.print(BenchOptions.USAGE);
      return;
    }
    try {
      Options options = parse(args);
      long start = System.nanoTime();
      write(options.model, options.shards, options.output);
      System.out.printf(
          Locale.ROOT,
          "%s: %d layers, %.2f GB of bf16 in %d shard%s, %.1f s%n",
          options.output,
          options.model.layers(),
          options.model.bytes() * 1e-9,
          options.shards,
          options.shards == 1 ? "" : "s",
          (System.nanoTime() - start) * 1e-9);
    } catch (IllegalArgumentException | CheckpointException e) {
      System.err.println("bench/run synthetic: " + e.getMessage());
      System.exit(2);
    }
  }

  private static Options parse(String... args) {
    long size = 2_000_000_000L;
    int shards = 1;
    int hidden = 2048;
    int intermediate = 5632;
    int vocabulary = 32_000;
    Path output = null;
    for (int i = 0; i < args.length; i += 2) {
      if (i + 1 == args.length) {
        throw new IllegalArgumentException(args[i] + ": unknown option, or its value is missing");
      }
      String value = args[i + 1];
      switch (args[i]) {
        case "--size" -> size = size(value);
        case "--shards" -> shards = positive(args[i], value);
        case "--hidden" -> hidden = positive(args[i], value);
        case "--intermediate" -> intermediate = positive(args[i], value);
        case "--vocabulary" -> vocabulary = positive(args[i], value);
        case "--output" -> output = Path.of(value);
        default -> throw new IllegalArgumentException("unknown option " + args[i]);
      }
    }
    if (output == null) {
      throw new IllegalArgumentException("--output DIR is missing");
    }
    return new Options(
        SyntheticModel.ofSize(size, hidden, intermediate, vocabulary), shards, output);
  }

  /** Bytes; k, m and g are powers of 1000, as sizes of checkpoints are told. */
  static long size(String text) {
    String lower = text.toLowerCase(Locale.ROOT);
    int power = lower.isEmpty() ? 0 : "kmg".indexOf(lower.charAt(lower.length() - 1)) + 1;
    String digits = power == 0 ? lower : lower.substring(0, lower.length() - 1);
    if (!digits.matches("[0-9]{1,9}")) {
      throw new IllegalArgumentException(
          "--size " + text + ": expected a whole number with k, m or g behind it, such as 2g");
    }
    long size = Long.parseLong(digits);
    for (int i = 0; i < power; i++) {
      size *= 1000;
    }
    return size;
  }

  private static int positive(String option, String value) {
    if (!value.matches("[1-9][0-9]{0,8}")) {
      throw new IllegalArgumentException(
          option + " " + value + ": expected a whole number of at least 1");
    }
    return Integer.parseInt(value);
  }

  /** Writes a model into a folder that is empty or not there yet. */
  static void write(SyntheticModel model, int shards, Path folder) throws Exception {
    ShardPlan plan = model.shards(shards);
    Files.createDirectories(folder);
    requireEmpty(folder);
    List<SafetensorsWriter> writers = new ArrayList<>();
    try {
      List<Job> jobs = new ArrayList<>();
      Map<String, String> files = new TreeMap<>();
      for (ShardPlan.Shard shard : plan.shards()) {
        SafetensorsWriter writer =
            SafetensorsWriter.create(
                folder.resolve(shard.fileName()),
                shard.tensors(),
                new TreeMap<>(Map.of("format", "pt")));
        writers.add(writer);
        for (TensorSpec tensor : shard.tensors()) {
          files.put(tensor.name(), shard.fileName());
          jobs.add(new Job(writer, tensor));
        }
      }
      writeTensors(jobs);
      writers.forEach(SafetensorsWriter::close);
      if (shards > 1) {
        long bytes = model.bytes();
        ShardedIndex.of(files, bytes / 2, bytes).write(folder.resolve(ShardedIndex.FILE_NAME));
      }
      Files.writeString(folder.resolve("config.json"), model.config(), StandardCharsets.UTF_8);
    } catch (Throwable e) {
      writers.forEach(SafetensorsWriter::abort);
      throw e;
    }
  }

  private static void writeTensors(List<Job> jobs) throws Exception {
    SyntheticWeights weights = new SyntheticWeights();
    int threads = Runtime.getRuntime().availableProcessors();
    try (Workers workers = new Workers(threads);
        Arena arena = Arena.ofShared()) {
      List<MemorySegment> scratch = new ArrayList<>();
      for (int worker = 0; worker < threads; worker++) {
        scratch.add(NativeMemory.allocate(arena, PIECE));
      }
      workers.run(
          jobs.size(),
          (number, worker) -> writeTensor(jobs.get(number), number, weights, scratch.get(worker)));
    }
  }

  private static void writeTensor(
      Job job, int number, SyntheticWeights weights, MemorySegment scratch) {
    short[] values = weights.values(number, job.tensor.name().endsWith("norm.weight"));
    long bytes = job.tensor.bytes();
    int piece = 0;
    for (long offset = 0; offset < bytes; offset += PIECE) {
      MemorySegment part = scratch.asSlice(0, Math.min(PIECE, bytes - offset));
      SyntheticWeights.fill(values, number, piece++, part);
      job.writer.write(job.tensor.name(), offset, part);
    }
  }

  private static void requireEmpty(Path folder) throws IOException {
    try (Stream<Path> content = Files.list(folder)) {
      if (content.findAny().isPresent()) {
        throw new CheckpointException(
            folder.toString(),
            "expected an empty folder, found files in it",
            "Choose another output or remove it.");
      }
    }
  }
}
