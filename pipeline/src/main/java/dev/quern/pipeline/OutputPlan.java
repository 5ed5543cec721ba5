package dev.quern.pipeline;

import dev.quern.formats.json.Json;
import dev.quern.formats.safetensors.ShardPlan;
import dev.quern.formats.safetensors.TensorSpec;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What to write where, whatever was done to the tensors.
 *
 * @param model folder of the source
 * @param output folder to make
 * @param overwrite whether an existing checkpoint there is replaced
 * @param threads worker threads
 * @param memoryBytes the most that work in flight may occupy
 * @param tensors the fate of every tensor
 * @param added tensors that come from none of the source
 * @param shards the output files
 * @param otherFiles files that are copied unchanged
 * @param writesIndex whether an index is written
 * @param config the whole config.json
 * @param recipe the text of {@code recipe.yaml}; empty for none
 * @param stage the word for the work, for progress
 */
record OutputPlan(
    Path model,
    Path output,
    boolean overwrite,
    int threads,
    long memoryBytes,
    List<TensorPlan> tensors,
    List<TensorSpec> added,
    ShardPlan shards,
    List<String> otherFiles,
    boolean writesIndex,
    Json.Obj config,
    Optional<String> recipe,
    String stage) {}
