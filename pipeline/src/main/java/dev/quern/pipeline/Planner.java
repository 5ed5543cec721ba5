package dev.quern.pipeline;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.ClassifiedTensor;
import dev.quern.formats.compressedtensors.IgnoreList;
import dev.quern.formats.compressedtensors.ModelOrder;
import dev.quern.formats.compressedtensors.ModuleClass;
import dev.quern.formats.compressedtensors.ModuleRef;
import dev.quern.formats.compressedtensors.QuantizationConfig;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.compressedtensors.TensorClassifier;
import dev.quern.formats.compressedtensors.TiedEmbeddings;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.recipe.RecipeMatcher;
import dev.quern.formats.recipe.RecipeRule;
import dev.quern.formats.safetensors.ShardPlan;
import dev.quern.formats.safetensors.TensorSpec;
import dev.quern.pipeline.calibration.CalibrationPlan;
import dev.quern.pipeline.source.SourceModel;
import dev.quern.pipeline.source.SourceWeight;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BinaryOperator;
import java.util.stream.Collectors;

/**
 * Decides every tensor's fate from headers, and refuses what cannot work before anything is
 * computed.
 */
final class Planner {
  private final HuggingFaceCheckpoint checkpoint;
  private final SourceModel model;
  private final CompressionOptions options;
  private final RecipeMatcher matcher;
  private final List<ClassifiedTensor> classified;
  private final List<String> warnings = new ArrayList<>();

  private Planner(HuggingFaceCheckpoint checkpoint, SourceModel model, CompressionOptions options) {
    this.checkpoint = checkpoint;
    this.model = model;
    this.options = options;
    matcher = Patterns.matcher(options);
    warnings.addAll(options.notes());
    model.quantization().ifPresent(method -> warnings.add(requantized(method)));
    warnings.addAll(model.warnings());
    SchemeSupport.requireNothingElse(options.recipe());
    options.recipe().rules().forEach(rule -> SchemeSupport.require(place(rule), rule));
    List<TensorSpec> specs = model.weights().stream().map(SourceWeight::spec).toList();
    classified = TensorClassifier.forCheckpoint(specs).classifyAll(specs);
  }

  /**
   * @throws QuernException when the request does not fit the checkpoint, or is not possible
   * @throws CheckpointException when the checkpoint is refused
   */
  static CompressionPlan plan(
      HuggingFaceCheckpoint checkpoint, SourceModel model, CompressionOptions options) {
    return new Planner(checkpoint, model, options).plan();
  }

  /**
   * The model as it will be compressed: experts that a rule wants are matrices of their own.
   *
   * @throws CheckpointException when the checkpoint is refused
   */
  static SourceModel source(HuggingFaceCheckpoint checkpoint, CompressionOptions options) {
    RecipeMatcher matcher = Patterns.matcher(options);
    return SourceModel.open(checkpoint)
        .withSingleExperts(checkpoint.config(), module -> TensorFates.isWanted(matcher, module));
  }

  private static String requantized(String method) {
    return "the source is quantized already ("
        + method
        + "); its errors and the new ones add up, so start from the model that it was made from if"
        + " you have it";
  }

  /** Where a rule stands: a file says it, an option is named with its value. */
  private String place(RecipeRule rule) {
    String origin = options.recipe().origin();
    return origin.startsWith("--") ? "--scheme " + rule.label() : origin;
  }

  private CompressionPlan plan() {
    List<ModuleRef> modules =
        new ArrayList<>(classified.stream().map(ClassifiedTensor::moduleRef).toList());
    TiedEmbeddings.of(classified, checkpoint.config())
        .ifPresent(pair -> modules.add(new ModuleRef(pair.head(), ModuleClass.LINEAR)));
    warnings.addAll(Patterns.check(matcher, options, modules, checkpoint));
    TensorFates fates = new TensorFates(matcher, options, model.weights(), classified);
    List<TensorPlan> tensors = fates.decide();
    warnings.addAll(fates.warnings());
    TiedHead head = TiedHead.of(tensors, classified, checkpoint.config(), fates);
    head.untied().ifPresent(tensors::add);
    PlanChecks.requireQuantized(tensors, options);
    PlanChecks.refuseNameClashes(tensors);
    PlanChecks.refuseDividedSets(tensors);
    PlanChecks.fusedExperts(classified).ifPresent(warnings::add);
    PlanChecks.raggedBlocks(tensors).ifPresent(warnings::add);
    PlanChecks.embeddingWidth(tensors, classified).ifPresent(warnings::add);
    QuantizationConfig config = quantizationConfig(tensors, head);
    List<TensorSpec> added =
        Calibration.plan(checkpoint, options, tensors)
            .map(CalibrationPlan::cacheTensors)
            .orElse(List.of());
    warnings.addAll(
        Preflight.check(options, tensors, classified, head, config, checkpoint.config()));
    ShardPlan shards = Shards.plan(tensors, added, options.maxShardBytes());
    return new CompressionPlan(
        options,
        schemeName(),
        tensors,
        added,
        DroppedTensor.of(model),
        shards,
        config,
        head.tied(),
        CarriedFiles.otherFiles(checkpoint, model),
        CarriedFiles.leftOut(checkpoint, model, "the new recipe takes its place"),
        shards.shards().size() > 1 || checkpoint.hasForeignSafetensors(),
        warnings);
  }

  private String schemeName() {
    return options.recipe().rules().stream()
        .map(SchemeSupport::title)
        .distinct()
        .collect(Collectors.joining(" + "));
  }

  /** Groups stand in the order of the model: of the first module that has them. */
  private QuantizationConfig quantizationConfig(List<TensorPlan> tensors, TiedHead head) {
    Set<String> quantized = new LinkedHashSet<>();
    Map<QuantizationScheme, String> firstModule = new HashMap<>();
    for (TensorPlan tensor : tensors) {
      if (tensor.scheme().isPresent()) {
        quantized.add(tensor.module());
        firstModule.merge(
            tensor.scheme().get(), tensor.module(), BinaryOperator.minBy(ModelOrder.OF_MODULES));
      }
    }
    head.shared()
        .ifPresent(
            scheme -> {
              quantized.add(TiedEmbeddings.LM_HEAD);
              firstModule.putIfAbsent(scheme, TiedEmbeddings.LM_HEAD);
            });
    QuantizationConfig.Builder builder = QuantizationConfig.builder();
    firstModule.entrySet().stream()
        .sorted(Map.Entry.comparingByValue(ModelOrder.OF_MODULES))
        .forEach(entry -> builder.add(entry.getKey()));
    options.recipe().cache().ifPresent(builder::kvCacheScheme);
    return builder.ignore(IgnoreList.of(classified, quantized, checkpoint.config())).build();
  }
}
