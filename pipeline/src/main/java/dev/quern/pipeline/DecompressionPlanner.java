package dev.quern.pipeline;

import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.ClassifiedTensor;
import dev.quern.formats.compressedtensors.TensorClassifier;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.safetensors.ShardPlan;
import dev.quern.formats.safetensors.TensorSpec;
import dev.quern.pipeline.source.ModelType;
import dev.quern.pipeline.source.SourceModel;
import dev.quern.pipeline.source.SourceWeight;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Decides what a quantized checkpoint becomes, from headers. */
final class DecompressionPlanner {
  private DecompressionPlanner() {}

  /**
   * @throws QuernException when the request is not possible
   * @throws CheckpointException when the checkpoint is refused
   */
  static DecompressionPlan plan(
      HuggingFaceCheckpoint checkpoint, SourceModel model, DecompressionOptions options) {
    String quantization =
        model
            .quantization()
            .orElseThrow(
                () ->
                    new CheckpointException(
                        checkpoint.directory() + "/config.json",
                        "expected a quantized checkpoint, found no quantization_config",
                        "It is plain already; use it as it is."));
    List<TensorSpec> specs = model.weights().stream().map(SourceWeight::spec).toList();
    List<ClassifiedTensor> classified = TensorClassifier.forCheckpoint(specs).classifyAll(specs);
    List<TensorPlan> tensors = new ArrayList<>();
    for (int i = 0; i < classified.size(); i++) {
      SourceWeight source = model.weights().get(i);
      TensorPlan plan =
          new TensorPlan(
              source.spec(),
              SourcePart.of(source),
              source.encoding(),
              classified.get(i).module(),
              source.encoding().orElse(classified.get(i).reason()),
              Optional.empty(),
              Optional.empty(),
              List.of(source.spec()));
      PlannedTensor.of(plan, source).requireMemory(options.threads(), options.memoryBytes());
      tensors.add(plan);
    }
    ShardPlan shards = Shards.plan(tensors, List.of(), options.maxShardBytes());
    return new DecompressionPlan(
        options,
        quantization,
        type(checkpoint, options),
        tensors,
        DroppedTensor.of(model),
        shards,
        CarriedFiles.otherFiles(checkpoint, model),
        CarriedFiles.leftOut(checkpoint, model, CarriedFiles.UNDONE),
        shards.shards().size() > 1 || checkpoint.hasForeignSafetensors(),
        model.warnings());
  }

  static FloatType type(HuggingFaceCheckpoint checkpoint, DecompressionOptions options) {
    return options.type().orElseGet(() -> ModelType.of(checkpoint.config()));
  }
}
