package dev.quern.pipeline;

import dev.quern.formats.compressedtensors.QuantizationConfig;
import dev.quern.formats.huggingface.LeftOutFile;
import dev.quern.formats.recipe.RecipeWriter;
import dev.quern.formats.safetensors.ShardPlan;
import dev.quern.formats.safetensors.TensorSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Everything that is decided before the first byte is computed, from headers alone.
 *
 * @param options what was asked for
 * @param schemeName the scheme in the reference's spelling
 * @param tensors the fate of every tensor of the source model, in its order
 * @param added tensors of the output that come from none of the source: scales of the cache
 * @param dropped tensors of a quantized source that are not carried over
 * @param shards the output files
 * @param quantizationConfig what config.json will say
 * @param tieWordEmbeddings what config.json will say of head and embedding; empty for what it says
 * @param otherFiles files that are copied unchanged, relative to the folder
 * @param leftOut files of the source that are not copied, with the reason
 * @param writesIndex whether an index is written
 * @param warnings what the user should know, a sentence each
 */
public record CompressionPlan(
    CompressionOptions options,
    String schemeName,
    List<TensorPlan> tensors,
    List<TensorSpec> added,
    List<DroppedTensor> dropped,
    ShardPlan shards,
    QuantizationConfig quantizationConfig,
    Optional<Boolean> tieWordEmbeddings,
    List<String> otherFiles,
    List<LeftOutFile> leftOut,
    boolean writesIndex,
    List<String> warnings) {
  /** Copies the lists. */
  public CompressionPlan {
    tensors = List.copyOf(tensors);
    added = List.copyOf(added);
    dropped = List.copyOf(dropped);
    otherFiles = List.copyOf(otherFiles);
    leftOut = List.copyOf(leftOut);
    warnings = List.copyOf(warnings);
  }

  /** The text of {@code recipe.yaml}: compressing the source by it gives the same files again. */
  public String recipe() {
    return RecipeWriter.write(options.recipe().alsoIgnoring(Patterns.alsoIgnored(options)));
  }

  /** This plan with one more warning. */
  CompressionPlan withWarning(String warning) {
    List<String> more = new ArrayList<>(warnings);
    more.add(warning);
    return new CompressionPlan(
        options,
        schemeName,
        tensors,
        added,
        dropped,
        shards,
        quantizationConfig,
        tieWordEmbeddings,
        otherFiles,
        leftOut,
        writesIndex,
        more);
  }

  /** What config.json will list as ignored. */
  public List<String> ignored() {
    return quantizationConfig.ignore();
  }

  /** Number of output files that hold tensors. */
  public int shardCount() {
    return shards.shards().size();
  }

  /** {@link #leftOut} as lines: path and reason. */
  public List<String> leftOutLines() {
    return leftOut.stream().map(file -> file.path() + " (" + file.reason() + ")").toList();
  }

  /** Bytes of all source tensors. */
  public long bytesBefore() {
    return tensors.stream().mapToLong(TensorPlan::bytesBefore).sum()
        + dropped.stream().mapToLong(DroppedTensor::bytes).sum();
  }

  /** Bytes of all output tensors. */
  public long bytesAfter() {
    return tensors.stream().mapToLong(TensorPlan::bytesAfter).sum()
        + added.stream().mapToLong(TensorSpec::bytes).sum();
  }

  /** Number of tensors that are quantized. */
  public long quantizedTensors() {
    return tensors.stream().filter(tensor -> tensor.scheme().isPresent()).count();
  }

  /** Whether the model has to run on samples. */
  public boolean needsCalibration() {
    return !added.isEmpty() || tensors.stream().anyMatch(TensorPlan::isCalibrated);
  }

  /** The same as a JSON document, with a newline at the end. */
  public String toJson() {
    return ReportJson.of(this);
  }
}
