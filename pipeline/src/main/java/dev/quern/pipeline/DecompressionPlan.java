package dev.quern.pipeline;

import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.huggingface.LeftOutFile;
import dev.quern.formats.safetensors.ShardPlan;
import java.util.ArrayList;
import java.util.List;

/**
 * Everything that is decided before the first weight is decoded, from headers alone.
 *
 * @param options what was asked for
 * @param quantization how the source is quantized, as its config.json names it
 * @param type type of the decoded weights
 * @param tensors the fate of every tensor of the model, in its order
 * @param dropped tensors of the source that are not carried over
 * @param shards the output files
 * @param otherFiles files that are copied unchanged, relative to the folder
 * @param leftOut files of the source that are not copied, with the reason
 * @param writesIndex whether an index is written
 * @param warnings what the user should know, a sentence each
 */
public record DecompressionPlan(
    DecompressionOptions options,
    String quantization,
    FloatType type,
    List<TensorPlan> tensors,
    List<DroppedTensor> dropped,
    ShardPlan shards,
    List<String> otherFiles,
    List<LeftOutFile> leftOut,
    boolean writesIndex,
    List<String> warnings) {
  /** Copies the lists. */
  public DecompressionPlan {
    tensors = List.copyOf(tensors);
    dropped = List.copyOf(dropped);
    otherFiles = List.copyOf(otherFiles);
    leftOut = List.copyOf(leftOut);
    warnings = List.copyOf(warnings);
  }

  /** This plan with one more warning. */
  DecompressionPlan withWarning(String warning) {
    List<String> more = new ArrayList<>(warnings);
    more.add(warning);
    return new DecompressionPlan(
        options,
        quantization,
        type,
        tensors,
        dropped,
        shards,
        otherFiles,
        leftOut,
        writesIndex,
        more);
  }

  /** Number of output files that hold tensors. */
  public int shardCount() {
    return shards.shards().size();
  }

  /** {@link #leftOut} as lines: path and reason. */
  public List<String> leftOutLines() {
    return leftOut.stream().map(file -> file.path() + " (" + file.reason() + ")").toList();
  }

  /** {@link #type} under the name that safetensors uses. */
  public String dtype() {
    return type.dtype().name();
  }

  /** Bytes of all source tensors. */
  public long bytesBefore() {
    return tensors.stream().mapToLong(TensorPlan::bytesBefore).sum()
        + dropped.stream().mapToLong(DroppedTensor::bytes).sum();
  }

  /** Bytes of all output tensors. */
  public long bytesAfter() {
    return tensors.stream().mapToLong(TensorPlan::bytesAfter).sum();
  }

  /** Number of tensors that are decoded. */
  public long dequantizedTensors() {
    return tensors.stream().filter(tensor -> tensor.fate().equals("dequantize")).count();
  }

  /** The same as a JSON document, with a newline at the end. */
  public String toJson() {
    return ReportJson.of(this);
  }
}
