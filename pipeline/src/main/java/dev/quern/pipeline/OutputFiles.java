package dev.quern.pipeline;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.JsonWriter;
import dev.quern.formats.safetensors.ShardedIndex;
import dev.quern.formats.safetensors.TensorSpec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Everything in the output but the tensors: config.json, the recipe, the index, and the files that
 * are copied through.
 */
final class OutputFiles {
  // What config.json, index and copied files may need beyond what is counted.
  private static final long MARGIN = 1 << 20;

  /** How the checkpoint was made, in the format of llm-compressor. */
  static final String RECIPE = "recipe.yaml";

  private OutputFiles() {}

  /** Refuses to start when the disk cannot hold the result. */
  static void requireSpace(OutputPlan plan) {
    long needed = ShardOutputs.fileBytes(plan.shards()) + MARGIN;
    for (String file : plan.otherFiles()) {
      needed += sideFileBytes(plan.model().resolve(file));
    }
    Path folder = plan.output().toAbsolutePath().normalize();
    while (folder != null && !Files.exists(folder)) {
      folder = folder.getParent();
    }
    try {
      long free = Files.getFileStore(folder).getUsableSpace();
      if (free < needed) {
        throw new QuernException(
            QuernException.Kind.OUTPUT,
            plan.output().toString(),
            "needs " + needed + " bytes, and the disk has " + free + " free",
            "Make room, or name a folder on another disk.");
      }
    } catch (IOException e) {
      throw failed(folder, e);
    }
  }

  private static long sideFileBytes(Path file) {
    try {
      if (!Files.isReadable(file)) {
        throw new AccessDeniedException(file.toString());
      }
      return Files.size(file);
    } catch (IOException e) {
      throw new QuernException(
          QuernException.Kind.INPUT,
          file.toString(),
          "cannot be read to be copied (" + e + ")",
          "Check its permissions, or remove it from the model's folder.");
    }
  }

  static void write(OutputPlan plan, ShardOutputs shards, Path folder) throws IOException {
    Files.writeString(
        folder.resolve("config.json"), JsonWriter.pretty(plan.config()), StandardCharsets.UTF_8);
    if (plan.recipe().isPresent()) {
      Files.writeString(folder.resolve(RECIPE), plan.recipe().get(), StandardCharsets.UTF_8);
    }
    if (plan.writesIndex()) {
      try {
        index(plan, shards).write(folder.resolve(ShardedIndex.FILE_NAME));
      } catch (CheckpointException e) {
        throw new QuernException(QuernException.Kind.OUTPUT, e);
      }
    }
    for (String file : plan.otherFiles()) {
      Path target = folder.resolve(file);
      Files.createDirectories(target.getParent());
      Files.copy(plan.model().resolve(file), target);
    }
  }

  private static ShardedIndex index(OutputPlan plan, ShardOutputs shards) {
    Map<String, String> weightMap = new HashMap<>();
    long elements = 0;
    long bytes = 0;
    List<TensorSpec> outputs = new ArrayList<>(plan.added());
    plan.tensors().forEach(tensor -> outputs.addAll(tensor.outputs()));
    for (TensorSpec output : outputs) {
      weightMap.put(output.name(), shards.fileOf(output.name()));
      elements += output.elements();
      bytes += output.bytes();
    }
    return ShardedIndex.of(weightMap, elements, bytes);
  }

  static QuernException failed(Path path, IOException e) {
    return new QuernException(
        QuernException.Kind.OUTPUT,
        path.toString(),
        "cannot be written (" + e + ")",
        "Check permissions and free space of the output's disk.");
  }
}
