package dev.quern.pipeline;

import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.ClassifiedTensor;
import dev.quern.formats.compressedtensors.IgnoreList;
import dev.quern.formats.compressedtensors.ModuleClass;
import dev.quern.formats.compressedtensors.ModulePattern;
import dev.quern.formats.compressedtensors.ModuleRef;
import dev.quern.formats.compressedtensors.PresetSchemes;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationConfig;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.compressedtensors.SchemeMatcher;
import dev.quern.formats.compressedtensors.TensorClassifier;
import dev.quern.formats.compressedtensors.TensorRole;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.safetensors.ShardPlan;
import dev.quern.formats.safetensors.TensorSpec;
import dev.quern.pipeline.source.SourceModel;
import dev.quern.pipeline.source.SourceWeight;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Decides every tensor's fate from headers, and refuses what cannot work before anything is
 * computed.
 */
final class Planner {
  private static final String LM_HEAD = "lm_head";
  private static final int MAX_SHARDS = 1000;

  private final HuggingFaceCheckpoint checkpoint;
  private final SourceModel model;
  private final CompressionOptions options;
  private final PresetSchemes.Preset preset;
  private final QuantizationScheme scheme;
  private final SchemeMatcher matcher;
  private final List<ClassifiedTensor> classified;
  private final List<String> warnings = new ArrayList<>();

  private Planner(
      HuggingFaceCheckpoint checkpoint,
      SourceModel model,
      CompressionOptions options,
      PresetSchemes.Preset preset) {
    this.checkpoint = checkpoint;
    this.model = model;
    this.options = options;
    requireUsable("--targets", options.targets());
    requireUsable("--ignore", options.ignore());
    PresetSchemes.aliasNote(options.scheme()).ifPresent(warnings::add);
    this.preset = preset;
    QuantizationScheme targeted = preset.scheme(options.targets());
    scheme = targeted.withFormat(targeted.formatOrDefault());
    matcher = SchemeMatcher.of(List.of(scheme), ignore(options));
    List<TensorSpec> specs = model.weights().stream().map(SourceWeight::spec).toList();
    classified = TensorClassifier.forCheckpoint(specs).classifyAll(specs);
  }

  /**
   * @throws QuernException when the request does not fit the checkpoint, or is not possible
   * @throws CheckpointException when the checkpoint is refused
   */
  static CompressionPlan plan(
      HuggingFaceCheckpoint checkpoint, SourceModel model, CompressionOptions options) {
    refuseQuantized(checkpoint);
    return plan(checkpoint, model, options, supported(options.scheme()));
  }

  /** As above for arguments that need have no name. */
  static CompressionPlan plan(
      HuggingFaceCheckpoint checkpoint,
      SourceModel model,
      CompressionOptions options,
      PresetSchemes.Preset preset) {
    return new Planner(checkpoint, model, options, preset).plan();
  }

  private static void requireUsable(String option, List<String> patterns) {
    for (String pattern : patterns) {
      try {
        ModulePattern.parse(pattern);
      } catch (CheckpointException e) {
        throw new QuernException(
            QuernException.Kind.REQUEST, option + " " + pattern, e.problem(), e.remedy());
      }
    }
  }

  private static PresetSchemes.Preset supported(String name) {
    List<String> supported = WeightCodecs.supportedPresets();
    String remedy = "Use one of " + String.join(", ", supported) + ".";
    if (!PresetSchemes.isKnown(name)) {
      List<String> nearest = PresetSchemes.nearest(name, supported);
      String suggestion =
          nearest.isEmpty() ? "" : "Did you mean " + String.join(" or ", nearest) + "? ";
      throw new QuernException(
          QuernException.Kind.REQUEST, "--scheme " + name, "unknown scheme", suggestion + remedy);
    }
    PresetSchemes.Preset preset = PresetSchemes.named(name);
    if (!supported.contains(preset.name())) {
      String why =
          preset.needsCalibration()
              ? preset.name() + " needs calibration data, which this version cannot use"
              : preset.name() + " is a known scheme that this version cannot compute";
      throw new QuernException(QuernException.Kind.REQUEST, "--scheme " + name, why, remedy);
    }
    return preset;
  }

  private static void refuseQuantized(HuggingFaceCheckpoint checkpoint) {
    for (String key : List.of("quantization_config", "compression_config")) {
      if (checkpoint.config().object(key).isPresent()) {
        String method =
            checkpoint
                .config()
                .object(key)
                .flatMap(q -> q.string("quant_method"))
                .orElse("unknown");
        throw new CheckpointException(
            checkpoint.directory() + "/config.json, " + key,
            "the checkpoint is quantized already (quant_method " + method + ")",
            "Give the checkpoint that it was made from.");
      }
    }
  }

  /** {@code lm_head} stays as it is unless a target names it. */
  private static List<String> ignore(CompressionOptions options) {
    LinkedHashSet<String> ignore = new LinkedHashSet<>();
    if (options.targets().stream().noneMatch(target -> target.contains(LM_HEAD))) {
      ignore.add(LM_HEAD);
    }
    ignore.addAll(options.ignore());
    return List.copyOf(ignore);
  }

  private CompressionPlan plan() {
    checkPatterns();
    Set<String> linearNames = new LinkedHashSet<>();
    classified.stream()
        .filter(t -> t.role() == TensorRole.LINEAR)
        .map(t -> lastPart(t.module()))
        // A number is a place in a list, where neighbours may be norms.
        .filter(name -> !name.chars().allMatch(Character::isDigit))
        .forEach(linearNames::add);
    List<TensorPlan> tensors = new ArrayList<>();
    for (int i = 0; i < classified.size(); i++) {
      SourceWeight source = model.weights().get(i);
      tensors.add(tensorPlan(source, classified.get(i), linearNames));
    }
    if (tensors.stream().noneMatch(t -> t.scheme().isPresent())) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          checkpoint.directory().toString(),
          "no tensor is left to quantize: "
              + classified.size()
              + " tensors, all ignored or not Linear",
          "Look at the plan with --dry-run and fewer --ignore patterns, or give --targets.");
    }
    refuseTiedHead(tensors);
    refuseNameClashes(tensors);
    warnOfFusedExperts();
    warnOfRaggedBlocks(tensors);
    List<List<TensorSpec>> units = tensors.stream().map(TensorPlan::outputs).toList();
    ShardPlan shards = ShardPlan.of(units, options.maxShardBytes());
    if (shards.shards().size() > MAX_SHARDS) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          "--max-shard-size",
          options.maxShardBytes()
              + " bytes give "
              + shards.shards().size()
              + " files, and at most "
              + MAX_SHARDS
              + " can be open at a time",
          "Give a larger size.");
    }
    return new CompressionPlan(
        options,
        preset.name(),
        tensors,
        shards,
        quantizationConfig(tensors),
        checkpoint.otherFiles(),
        checkpoint.leftOut(),
        shards.shards().size() > 1 || checkpoint.hasForeignSafetensors(),
        warnings);
  }

  private void checkPatterns() {
    List<ModuleRef> modules = classified.stream().map(ClassifiedTensor::moduleRef).toList();
    List<String> unusedTargets = matcher.matcher().unusedTargets(modules);
    if (unusedTargets.equals(List.of(ModuleClass.LINEAR))) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          checkpoint.directory().toString(),
          "there is no module of class Linear: no matrix of BF16, F16 or F32 that is not an"
              + " embedding or a norm",
          "See what its tensors are with 'quern inspect', or give --targets.");
    }
    if (!unusedTargets.isEmpty()) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          "--targets " + String.join(", ", unusedTargets),
          "matches no module of " + checkpoint.directory(),
          "Module names are listed by 'quern inspect'; patterns begin with 're:'.");
    }
    for (String unused : matcher.matcher().unusedIgnores(modules)) {
      if (options.ignore().contains(unused)) {
        warnings.add("--ignore " + unused + " matches no module; is it misspelt?");
      }
    }
  }

  private TensorPlan tensorPlan(
      SourceWeight source, ClassifiedTensor tensor, Set<String> linearNames) {
    TensorSpec info = source.spec();
    Optional<QuantizationScheme> wanted = matcher.scheme(tensor.moduleRef());
    if (wanted.isPresent() && tensor.role() == TensorRole.LINEAR) {
      return quantized(source, tensor);
    }
    boolean looksLinear =
        tensor.parameter().equals("weight")
            && (linearNames.contains(lastPart(tensor.module()))
                || tensor.module().endsWith("_proj"));
    if (looksLinear && refusedByShape(tensor, info.shape().size()) && targetedAsLinear(tensor)) {
      throw new CheckpointException(
          source.place(),
          "expected a matrix [out, in] of BF16, F16 or F32 that is not empty, found "
              + info.dtype()
              + " "
              + info.shape(),
          "Check how the checkpoint was made, or leave the module as it is with --ignore "
              + tensor.module()
              + ".");
    }
    if (tensor.role() == TensorRole.EMBEDDING && namedByTarget(tensor)) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          "--targets",
          tensor.module() + " is an embedding, which " + preset.name() + " does not quantize",
          "Leave it out of --targets.");
    }
    if (wanted.isPresent() && !options.targets().contains(ModuleClass.LINEAR)) {
      warnings.add(tensor.module() + " is targeted, but left as it is: " + tensor.reason());
    }
    String reason =
        tensor.role() == TensorRole.LINEAR
            ? matcher
                .matcher()
                .ignoredBy(tensor.moduleRef())
                .map(by -> "ignored by " + by)
                .orElse("not targeted")
            : tensor.reason();
    return copied(source, tensor, reason);
  }

  private static boolean refusedByShape(ClassifiedTensor tensor, int rank) {
    return switch (tensor.role()) {
      case OTHER, NORM -> true;
      // Images and video have convolutions of 4 and 5 dimensions under names such as proj.
      case CONVOLUTION -> rank == 3;
      default -> false;
    };
  }

  /** Whether the module would be quantized if its weight were a matrix. */
  private boolean targetedAsLinear(ClassifiedTensor tensor) {
    return matcher.scheme(new ModuleRef(tensor.module(), ModuleClass.LINEAR)).isPresent();
  }

  private boolean namedByTarget(ClassifiedTensor tensor) {
    return matcher.scheme(tensor.moduleRef()).isPresent();
  }

  private TensorPlan quantized(SourceWeight source, ClassifiedTensor tensor) {
    TensorSpec info = source.spec();
    long rows = info.shape().get(0);
    long cols = info.shape().get(1);
    if (rows > Integer.MAX_VALUE || cols > Integer.MAX_VALUE) {
      throw new CheckpointException(
          source.place(),
          "expected a matrix of fewer than 2^31 rows and columns, found " + info.shape(),
          "Leave it as it is with --ignore " + tensor.module() + ".");
    }
    TensorPlan plan =
        new TensorPlan(
            info,
            SourcePart.of(source),
            source.encoding(),
            tensor.module(),
            preset.name() + ", " + scheme.formatOrDefault().configName(),
            Optional.of(scheme),
            PlannedTensor.outputs(tensor.module(), info, scheme));
    PlannedTensor.of(plan, source).requireMemory(options.threads(), options.memoryBytes());
    return plan;
  }

  private static TensorPlan copied(SourceWeight source, ClassifiedTensor tensor, String reason) {
    return new TensorPlan(
        source.spec(),
        SourcePart.of(source),
        source.encoding(),
        tensor.module(),
        reason,
        Optional.empty(),
        List.of(source.spec()));
  }

  /** A head that shares its matrix with the embedding cannot be quantized alone. */
  private void refuseTiedHead(List<TensorPlan> tensors) {
    boolean quantizesHead =
        tensors.stream()
            .anyMatch(t -> t.scheme().isPresent() && lastPart(t.module()).equals(LM_HEAD));
    boolean tied =
        checkpoint.config().bool("tie_word_embeddings").orElse(false)
            || classified.stream().noneMatch(t -> t.role() == TensorRole.EMBEDDING);
    if (quantizesHead && tied) {
      throw new QuernException(
          QuernException.Kind.REQUEST,
          "--targets",
          "lm_head shares its matrix with the embedding (tie_word_embeddings), which "
              + preset.name()
              + " does not quantize",
          "Leave lm_head out of --targets.");
    }
  }

  private static void refuseNameClashes(List<TensorPlan> tensors) {
    Map<String, String> owner = new HashMap<>();
    for (TensorPlan tensor : tensors) {
      for (TensorSpec output : tensor.outputs()) {
        String other = owner.put(output.name(), tensor.source().name());
        if (other != null) {
          throw new CheckpointException(
              tensor.file() + ", tensor " + tensor.source().name(),
              "output tensor " + output.name() + " would also be made from " + other,
              "The checkpoint seems to be quantized already; give the one it was made from.");
        }
      }
    }
  }

  private void warnOfFusedExperts() {
    long fused = classified.stream().filter(t -> t.role() == TensorRole.FUSED_EXPERTS).count();
    if (fused > 0) {
      warnings.add(
          fused
              + " tensors hold the weights of many experts fused in one; they are copied in full"
              + " precision and named in ignore");
    }
  }

  private void warnOfRaggedBlocks(List<TensorPlan> tensors) {
    scheme
        .weights()
        .flatMap(QuantizationArgs::blockStructure)
        .ifPresent(
            block -> {
              List<String> ragged =
                  tensors.stream()
                      .filter(t -> t.scheme().isPresent())
                      .filter(
                          t ->
                              t.shape().get(0) % block.rows() != 0
                                  || t.shape().get(1) % block.columns() != 0)
                      .map(TensorPlan::module)
                      .toList();
              if (!ragged.isEmpty()) {
                warnings.add(
                    ragged.size()
                        + " matrices are no multiple of "
                        + block.rows()
                        + " x "
                        + block.columns()
                        + " (the first is "
                        + ragged.get(0)
                        + "): compressed-tensors writes them so, but its own decompressor, and so"
                        + " transformers, cannot read them back; use FP8_DYNAMIC for transformers");
              }
            });
  }

  private QuantizationConfig quantizationConfig(List<TensorPlan> tensors) {
    QuantizationConfig.Builder builder = QuantizationConfig.builder();
    Set<String> quantized = new LinkedHashSet<>();
    for (TensorPlan tensor : tensors) {
      tensor.scheme().ifPresent(s -> quantized.add(tensor.module()));
      tensor.scheme().ifPresent(builder::add);
    }
    return builder.ignore(IgnoreList.of(classified, quantized, checkpoint.config())).build();
  }

  private static String lastPart(String module) {
    return module.substring(module.lastIndexOf('.') + 1);
  }
}
