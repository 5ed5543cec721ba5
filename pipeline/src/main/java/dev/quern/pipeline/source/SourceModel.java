package dev.quern.pipeline.source;

import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** All weights of a checkpoint, in the order of the model. */
public final class SourceModel {
  private final List<SourceWeight> weights;
  private final Map<String, SourceWeight> byName;

  private SourceModel(List<SourceWeight> weights) {
    this.weights = List.copyOf(weights);
    this.byName = LinkedHashMap.newLinkedHashMap(weights.size());
    weights.forEach(weight -> byName.put(weight.name(), weight));
  }

  /** Every tensor as it is in the files. */
  public static SourceModel plain(HuggingFaceCheckpoint checkpoint) {
    return new SourceModel(
        checkpoint.tensors().stream().<SourceWeight>map(PlainWeight::new).toList());
  }

  /** All weights, in the order of the model. */
  public List<SourceWeight> weights() {
    return weights;
  }

  /** The weight of this name. */
  public Optional<SourceWeight> find(String name) {
    return Optional.ofNullable(byName.get(name));
  }

  /** Bytes of all weights as a plain checkpoint has them: the size of the work. */
  public long bytes() {
    return weights.stream().mapToLong(weight -> weight.spec().bytes()).sum();
  }
}
