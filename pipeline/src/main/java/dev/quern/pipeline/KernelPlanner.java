package dev.quern.pipeline;

import dev.quern.engine.numeric.FloatType;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.CompressionFormat;
import dev.quern.formats.compressedtensors.ModuleClass;
import dev.quern.formats.compressedtensors.ModuleRef;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationConfig;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.compressedtensors.SchemeMatcher;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.json.Json;
import dev.quern.formats.layout.QuantizedMatrix;
import dev.quern.formats.layout.TensorType;
import dev.quern.formats.target.selection.KernelLayer;
import dev.quern.formats.target.selection.KernelSelector;
import dev.quern.formats.target.selection.KernelTable;
import dev.quern.formats.target.selection.Serving;
import dev.quern.formats.target.selection.Target;
import dev.quern.pipeline.ServedLayers.Group;
import dev.quern.pipeline.ServedLayers.Matrix;
import dev.quern.pipeline.source.ModelType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Asks for every layer of a checkpoint which kernel runs it; reads headers only. */
final class KernelPlanner {
  private KernelPlanner() {}

  /** What will run a compressed checkpoint. */
  static KernelPlan compressed(HuggingFaceCheckpoint checkpoint, ServingOptions options) {
    Json.Obj config = checkpoint.config();
    Optional<QuantizationConfig> quantization = QuantizationConfig.ofModel(config);
    if (quantization.isEmpty()) {
      throw new QuernException(
          QuernException.Kind.INPUT,
          checkpoint.directory().toString(),
          "is not compressed",
          "Name a scheme with --scheme to see what would run it.");
    }
    SchemeMatcher matcher = SchemeMatcher.of(quantization.get());
    Map<String, QuantizedMatrix> quantized = QuantizedModules.of(checkpoint, false);
    List<Matrix> matrices = new ArrayList<>();
    quantized.forEach(
        (name, matrix) -> {
          Optional<QuantizationScheme> scheme =
              matcher.scheme(new ModuleRef(name, ModuleClass.LINEAR));
          long bytes = matrix.tensors().values().stream().mapToLong(TensorType::bytes).sum();
          matrices.add(
              new Matrix(
                  name,
                  matrix.n(),
                  matrix.k(),
                  scheme.map(s -> formatted(s, quantization.get())),
                  bytes));
        });
    String title =
        String.join(
            " + ",
            quantization.get().formats().stream().map(CompressionFormat::configName).toList());
    return plan(
        options, config, title, ServedLayers.of(matrices), quantization.get().kvCacheScheme());
  }

  private static QuantizationScheme formatted(
      QuantizationScheme scheme, QuantizationConfig config) {
    boolean common = config.format() != CompressionFormat.MIXED_PRECISION;
    return scheme.format().isEmpty() && common ? scheme.withFormat(config.format()) : scheme;
  }

  /** What would run the result of a compression. */
  static KernelPlan planned(
      HuggingFaceCheckpoint checkpoint, CompressionPlan plan, ServingOptions options) {
    List<Matrix> matrices = new ArrayList<>();
    for (TensorPlan tensor : plan.tensors()) {
      if (tensor.shape().size() == 2) {
        matrices.add(
            new Matrix(
                tensor.module(),
                tensor.shape().get(0),
                tensor.shape().get(1),
                tensor.scheme(),
                tensor.bytesAfter()));
      }
    }
    return plan(
        options,
        checkpoint.config(),
        plan.schemeName(),
        ServedLayers.of(matrices),
        plan.quantizationConfig().kvCacheScheme());
  }

  private static KernelPlan plan(
      ServingOptions options,
      Json.Obj config,
      String title,
      List<Group> groups,
      Optional<QuantizationArgs> cache) {
    KernelTable table = options.table().map(KernelTable::read).orElseGet(KernelTable::builtIn);
    Serving serving = serving(options, config);
    List<Group> all = new ArrayList<>(groups);
    cache.ifPresent(args -> all.add(cache(args)));
    List<KernelPlan.Row> rows = new ArrayList<>();
    for (Target target : targets(table, options)) {
      KernelSelector selector = new KernelSelector(table, target, serving);
      for (Group group : all) {
        rows.add(
            new KernelPlan.Row(
                target.id(),
                group.names(),
                group.count(),
                group.layer(),
                group.bytes(),
                selector.select(group.layer()),
                selector.maxTensorParallel(group.layer())));
      }
    }
    return new KernelPlan(table.engine() + " " + table.version(), title, rows);
  }

  private static Group cache(QuantizationArgs args) {
    QuantizationScheme scheme =
        QuantizationScheme.of(List.of("Attention"), Optional.of(args), Optional.empty());
    KernelLayer layer =
        new KernelLayer(
            List.of("kv_cache"),
            KernelLayer.Role.KV_CACHE,
            KernelLayer.Cut.REPLICATED,
            List.of(1L),
            1,
            scheme,
            true,
            0);
    return new Group(layer, List.of("kv_cache"), 1, 0);
  }

  private static List<Target> targets(KernelTable table, ServingOptions options) {
    try {
      return table.targets(options.targets());
    } catch (CheckpointException e) {
      throw new QuernException(QuernException.Kind.REQUEST, e);
    }
  }

  private static Serving serving(ServingOptions options, Json.Obj config) {
    FloatType type = ModelType.of(config);
    String own = type == FloatType.F16 ? "float16" : "bfloat16";
    boolean sparse =
        config
            .object("quantization_config")
            .flatMap(q -> q.object("sparsity_config"))
            .filter(s -> !s.members().isEmpty())
            .isPresent();
    return Serving.of(options.dtype().orElse(own))
        .withModelType(config.string("model_type").orElse(""))
        .withTensorParallel(options.tensorParallel())
        .withExpertParallel(options.expertParallel())
        .withLinearBackend(options.linearBackend())
        .withEnvironment(options.environment())
        .withSparsity(sparse);
  }
}
