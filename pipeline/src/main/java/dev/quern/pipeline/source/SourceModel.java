package dev.quern.pipeline.source;

import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.sparsity.MaskStructure;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.json.Json;
import dev.quern.formats.recipe.SparsityChoice;
import dev.quern.formats.safetensors.TensorOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * All weights of a checkpoint, in the order of the model, whether its files hold them plain or
 * quantized.
 */
public final class SourceModel {
  private final List<SourceWeight> weights;
  private final Map<String, SourceWeight> byName;
  private final List<Dropped> dropped;
  private final List<String> warnings;
  private final Optional<String> quantization;

  private SourceModel(
      List<SourceWeight> weights,
      List<Dropped> dropped,
      List<String> warnings,
      Optional<String> quantization) {
    this.weights = List.copyOf(weights);
    this.dropped = List.copyOf(dropped);
    this.warnings = List.copyOf(warnings);
    this.quantization = quantization;
    this.byName = LinkedHashMap.newLinkedHashMap(weights.size());
    weights.forEach(weight -> byName.put(weight.name(), weight));
  }

  static SourceModel of(
      List<SourceWeight> weights,
      List<Dropped> dropped,
      List<String> warnings,
      String quantization) {
    List<SourceWeight> sorted = new ArrayList<>(weights);
    sorted.sort(Comparator.comparing(SourceWeight::name, TensorOrder.model()));
    return new SourceModel(sorted, dropped, warnings, Optional.of(quantization));
  }

  /**
   * The weights of a checkpoint, decoded to the model's own type where they are quantized.
   *
   * @throws dev.quern.formats.CheckpointException when it is quantized in a way that is not read,
   *     or its tensors do not fit its configuration
   */
  public static SourceModel open(HuggingFaceCheckpoint checkpoint) {
    return open(checkpoint, ModelType.of(checkpoint.config()));
  }

  /** As the other method, decoding to {@code type}. */
  public static SourceModel open(HuggingFaceCheckpoint checkpoint, FloatType type) {
    Optional<Json.Obj> config = SourceReaders.config(checkpoint);
    if (config.isEmpty()) {
      return plain(checkpoint);
    }
    SourceBuilder builder = new SourceBuilder(checkpoint, type);
    return builder.build(SourceReaders.read(config.get(), builder));
  }

  /** Every tensor as it is in the files. */
  public static SourceModel plain(HuggingFaceCheckpoint checkpoint) {
    return new SourceModel(
        checkpoint.tensors().stream().<SourceWeight>map(PlainWeight::new).toList(),
        List.of(),
        List.of(),
        Optional.empty());
  }

  /**
   * The same model with fused experts as a matrix for each expert, in layers where one of them is
   * wanted and the architecture is known.
   *
   * @param config the model's config.json
   * @param wanted whether the module of this name, such as {@code
   *     model.layers.0.mlp.experts.0.up_proj}, will be quantized
   */
  public SourceModel withSingleExperts(Json.Obj config, Predicate<String> wanted) {
    List<SourceWeight> single = new ArrayList<>(new ExpertSplitter(config).split(weights, wanted));
    single.sort(Comparator.comparing(SourceWeight::name, TensorOrder.model()));
    return new SourceModel(single, dropped, warnings, quantization);
  }

  /**
   * The same model, the smallest weights of some matrices being zero: magnitude pruning.
   *
   * @param choice how a tensor is pruned; empty for one that stays as it is
   * @throws CheckpointException when a tensor is no matrix, or its columns are not whole groups
   */
  public SourceModel withSmallestZero(Function<SourceWeight, Optional<SparsityChoice>> choice) {
    return new SourceModel(
        weights.stream()
            .map(weight -> choice.apply(weight).map(c -> pruned(weight, c)).orElse(weight))
            .toList(),
        dropped,
        warnings,
        quantization);
  }

  private static SourceWeight pruned(SourceWeight weight, SparsityChoice choice) {
    MaskStructure structure = MaskStructure.parse(choice.maskStructure());
    if (weight.spec().shape().size() != 2) {
      throw new CheckpointException(
          weight.place(),
          "expected a matrix to prune, found shape " + weight.spec().shape(),
          "Leave it as it is with ignore.");
    }
    try {
      structure.requireFits(weight.cols());
    } catch (IllegalArgumentException e) {
      throw new CheckpointException(
          weight.place(), e.getMessage(), "Give it another mask structure, or ignore it.", e);
    }
    return new PrunedWeight(weight, structure, choice.sparsity());
  }

  /** All weights, in the order of the model. */
  public List<SourceWeight> weights() {
    return weights;
  }

  /** The weight of this name. */
  public Optional<SourceWeight> find(String name) {
    return Optional.ofNullable(byName.get(name));
  }

  /** Tensors that are not carried over. */
  public List<Dropped> dropped() {
    return dropped;
  }

  /** What the user should know about reading it, a sentence each. */
  public List<String> warnings() {
    return warnings;
  }

  /** How the checkpoint is quantized, a few words; empty when it is plain. */
  public Optional<String> quantization() {
    return quantization;
  }

  /** Bytes of all weights as a plain checkpoint has them: the size of the work. */
  public long bytes() {
    return weights.stream().mapToLong(weight -> weight.spec().bytes()).sum();
  }
}
