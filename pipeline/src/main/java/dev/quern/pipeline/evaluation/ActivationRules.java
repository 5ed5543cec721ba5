package dev.quern.pipeline.evaluation;

import dev.quern.engine.model.AttentionSpec;
import dev.quern.engine.model.DecoderSpec;
import dev.quern.engine.model.FeedForwardSpec;
import dev.quern.engine.model.LayerSpec;
import dev.quern.engine.model.LinearSpec;
import dev.quern.engine.numeric.DType;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.quantization.ActivationRounding;
import dev.quern.engine.quantization.ActivationRounding.Element;
import dev.quern.engine.quantization.ActivationRounding.Scales;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.compressedtensors.DynamicType;
import dev.quern.formats.compressedtensors.ModuleClass;
import dev.quern.formats.compressedtensors.ModuleRef;
import dev.quern.formats.compressedtensors.QuantizationArgs;
import dev.quern.formats.compressedtensors.QuantizationConfig;
import dev.quern.formats.compressedtensors.QuantizationScheme;
import dev.quern.formats.compressedtensors.QuantizationStrategy;
import dev.quern.formats.compressedtensors.QuantizationType;
import dev.quern.formats.compressedtensors.SchemeMatcher;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.json.Json;
import dev.quern.pipeline.model.DecoderModel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Which activations of a checkpoint are rounded where it runs, and how: what its configuration says
 * of inputs and of the cache, with the scales that its files hold.
 *
 * @param inputs by name of a linear layer
 * @param queries by name of an attention module; so are the other two
 * @param keys what a cache of keys rounds
 * @param values what a cache of values rounds
 * @param summary a few words for people
 * @param notes what is not rounded here and would be elsewhere
 */
record ActivationRules(
    Map<String, ActivationRounding> inputs,
    Map<String, ActivationRounding> queries,
    Map<String, ActivationRounding> keys,
    Map<String, ActivationRounding> values,
    String summary,
    List<String> notes) {
  private static final String PLAIN = "as they are";
  private static final String WITHOUT =
      "Take the checkpoint from where it was made, or leave activations as they are with"
          + " --no-activation-quantization.";

  /** Nothing is rounded. */
  static ActivationRules none() {
    return new ActivationRules(Map.of(), Map.of(), Map.of(), Map.of(), PLAIN, List.of());
  }

  /**
   * The rules of a checkpoint.
   *
   * @throws CheckpointException when a scale that they need is not there, or a group divides no row
   */
  static ActivationRules of(DecoderModel model) {
    return new Reader(model).read();
  }

  /** Reads one checkpoint. */
  private static final class Reader {
    private final HuggingFaceCheckpoint checkpoint;
    private final DecoderSpec spec;
    private final Map<String, ActivationRounding> inputs = new LinkedHashMap<>();
    private final Map<String, ActivationRounding> queries = new LinkedHashMap<>();
    private final Map<String, ActivationRounding> keys = new LinkedHashMap<>();
    private final Map<String, ActivationRounding> values = new LinkedHashMap<>();
    private final Map<String, Integer> kinds = new TreeMap<>();
    private final List<String> notes = new ArrayList<>();
    private int outputs;

    Reader(DecoderModel model) {
      checkpoint = model.checkpoint();
      spec = model.spec();
    }

    ActivationRules read() {
      Optional<Json.Obj> json =
          checkpoint
              .config()
              .object("quantization_config")
              .or(() -> checkpoint.config().object("compression_config"));
      if (json.isEmpty()) {
        return none();
      }
      String method = json.get().string("quant_method").orElse(QuantizationConfig.QUANT_METHOD);
      if (!method.equals(QuantizationConfig.QUANT_METHOD)) {
        String note =
            "activations are left as they are: only those of compressed-tensors are simulated, and"
                + " the checkpoint is of quant_method "
                + method;
        return new ActivationRules(Map.of(), Map.of(), Map.of(), Map.of(), PLAIN, List.of(note));
      }
      QuantizationConfig config = QuantizationConfig.fromJson(json.get());
      SchemeMatcher matcher = SchemeMatcher.of(config);
      linears().forEach(linear -> input(linear, matcher));
      config.kvCacheScheme().ifPresent(this::cache);
      if (outputs > 0) {
        notes.add("output activations of " + outputs + " modules are not rounded");
      }
      return new ActivationRules(inputs, queries, keys, values, summary(), notes);
    }

    private List<LinearSpec> linears() {
      List<LinearSpec> all = new ArrayList<>();
      for (LayerSpec layer : spec.layers()) {
        all.addAll(layer.attention().projection().linears());
        all.add(layer.attention().output());
        switch (layer.feedForward()) {
          case FeedForwardSpec.Dense dense -> add(dense, all);
          case FeedForwardSpec.Experts experts -> {
            all.add(experts.router());
            experts.experts().forEach(expert -> add(expert, all));
            experts.shared().ifPresent(shared -> add(shared.expert(), all));
            experts.shared().flatMap(FeedForwardSpec.Shared::gate).ifPresent(all::add);
          }
        }
      }
      all.add(new LinearSpec(spec.head(), spec.hidden(), spec.vocabulary(), false));
      return all;
    }

    private static void add(FeedForwardSpec.Dense dense, List<LinearSpec> all) {
      all.addAll(dense.gateUp().linears());
      all.add(dense.down());
    }

    private void input(LinearSpec linear, SchemeMatcher matcher) {
      Optional<QuantizationScheme> scheme =
          matcher
              .scheme(new ModuleRef(linear.name(), ModuleClass.LINEAR))
              .filter(s -> s.weights().isEmpty() || isQuantized(linear.name()));
      if (scheme.flatMap(QuantizationScheme::outputActivations).isPresent()) {
        outputs++;
      }
      Optional<QuantizationArgs> args = scheme.flatMap(QuantizationScheme::inputActivations);
      if (args.isPresent()) {
        ActivationRounding rounding = rounding(linear.name(), "input", args.get(), 1);
        requireFit(linear.name(), linear.inputs(), rounding);
        inputs.put(linear.name(), rounding);
        kinds.merge(name(args.get()), 1, Integer::sum);
      }
    }

    /** A router that a target matches by its class is no Linear where it runs. */
    private boolean isQuantized(String module) {
      return find(module, "weight_scale").isPresent() || find(module, "weight_packed").isPresent();
    }

    private void cache(QuantizationArgs args) {
      int missing = 0;
      for (LayerSpec layer : spec.layers()) {
        AttentionSpec attention = layer.attention();
        String module = attention.name();
        if (args.dynamic() == DynamicType.FALSE && find(module, "k_scale").isEmpty()) {
          missing++;
          continue;
        }
        keys.put(module, rounding(module, "k", args, attention.keyHeads()));
        values.put(module, rounding(module, "v", args, attention.keyHeads()));
        if (find(module, "q_scale").isPresent()) {
          queries.put(module, rounding(module, "q", args, attention.heads()));
        }
      }
      if (missing > 0) {
        notes.add(
            "keys and values of "
                + missing
                + " layers are not rounded: there is a kv_cache_scheme, but no k_scale");
      }
      if (!keys.isEmpty()) {
        kinds.put("keys and values " + name(args), 1);
      }
    }

    private void requireFit(String module, int width, ActivationRounding rounding) {
      if (!rounding.needsRange() && !rounding.fits(width)) {
        throw new CheckpointException(
            checkpoint.directory() + ", module " + module,
            "expected groups that divide its " + width + " inputs, found " + rounding.scales(),
            WITHOUT);
      }
    }

    private ActivationRounding rounding(
        String module, String name, QuantizationArgs args, int heads) {
      Element element =
          args.type() == QuantizationType.INT
              ? Element.INT
              : args.numBits() == 8 ? Element.E4M3 : Element.E2M1;
      try {
        return new ActivationRounding(
            element, args.numBits(), args.symmetric(), scales(module, name, args, heads));
      } catch (IllegalArgumentException e) {
        throw new CheckpointException(
            checkpoint.directory() + ", module " + module,
            "activations cannot be rounded as its scheme says (" + e.getMessage() + ")",
            WITHOUT,
            e);
      }
    }

    private Scales scales(String module, String name, QuantizationArgs args, int heads) {
      if (args.dynamic() == DynamicType.FALSE) {
        return given(module, name, args, heads);
      }
      return switch (args.strategy()) {
        case TOKEN -> new Scales.OfRow();
        case TENSOR -> new Scales.OfAllRows();
        case TENSOR_GROUP -> twoLevels(module, name, args);
        case GROUP -> {
          boolean mx =
              args.type() == QuantizationType.FLOAT
                  && args.groupSize().orElse(0) == 32
                  && args.scaleDtype().equals(Optional.of(DType.U8));
          yield mx ? new Scales.PowersOfTwo() : new Scales.OfGroups(args.groupSize().orElse(1));
        }
        default -> throw unknown(module, args);
      };
    }

    private Scales twoLevels(String module, String name, QuantizationArgs args) {
      boolean nvfp4 =
          args.type() == QuantizationType.FLOAT
              && args.numBits() == 4
              && args.groupSize().orElse(0) == 16;
      if (!nvfp4) {
        throw unknown(module, args);
      }
      return new Scales.TwoLevels(stored(module, name + "_global_scale", 1).getFirst());
    }

    private Scales given(String module, String name, QuantizationArgs args, int heads) {
      int count =
          switch (args.strategy()) {
            case TENSOR -> 1;
            case ATTN_HEAD -> heads;
            default -> throw unknown(module, args);
          };
      List<Float> scales = stored(module, name + "_scale", count);
      for (float scale : scales) {
        if (!(scale > 0 && scale < Float.POSITIVE_INFINITY)) {
          throw new CheckpointException(
              checkpoint.directory() + ", tensor " + module + "." + name + "_scale",
              "expected positive finite scales, found " + scale,
              WITHOUT);
        }
      }
      return new Scales.Given(
          scales, args.symmetric() ? List.of() : stored(module, name + "_zero_point", count));
    }

    private CheckpointException unknown(String module, QuantizationArgs args) {
      return new CheckpointException(
          checkpoint.directory() + ", module " + module,
          "activations of strategy "
              + args.strategy().configName()
              + ", dynamic "
              + args.dynamic().configName()
              + ", cannot be simulated",
          WITHOUT);
    }

    private Optional<SourceTensor> find(String module, String parameter) {
      return checkpoint.find(module + "." + parameter);
    }

    /** The values of a small tensor. */
    private List<Float> stored(String module, String parameter, int count) {
      SourceTensor tensor =
          find(module, parameter)
              .orElseThrow(
                  () ->
                      new CheckpointException(
                          checkpoint.directory() + ", module " + module,
                          "expected a tensor " + parameter + ", found none",
                          WITHOUT));
      DType dtype = tensor.info().dtype();
      Optional<FloatType> type = FloatType.of(dtype);
      if (tensor.info().elements() != count || type.isEmpty() && dtype != DType.I8) {
        throw new CheckpointException(
            tensor.file().path() + ", tensor " + tensor.name(),
            "expected " + count + " numbers, found " + dtype + " " + tensor.info().shape(),
            WITHOUT);
      }
      List<Float> found = new ArrayList<>();
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment bytes = tensor.file().map(tensor.info(), 0, tensor.info().bytes(), arena);
        for (int i = 0; i < count; i++) {
          long at = i;
          found.add(
              type.map(t -> t.load(bytes, at * t.bytes()))
                  .orElseGet(() -> (float) bytes.get(ValueLayout.JAVA_BYTE, at)));
        }
      }
      return found;
    }

    private String summary() {
      return kinds.isEmpty() ? PLAIN : String.join("; ", kinds.keySet());
    }

    private static String name(QuantizationArgs args) {
      String bits = Integer.toString(args.numBits());
      String type = args.type() == QuantizationType.INT ? "int" + bits : "FP" + bits;
      String by =
          switch (args.strategy()) {
            case GROUP, TENSOR_GROUP -> "groups of " + args.groupSize().orElse(0);
            default -> "by " + args.strategy().configName();
          };
      boolean nvfp4 = args.strategy() == QuantizationStrategy.TENSOR_GROUP;
      boolean mx = args.scaleDtype().equals(Optional.of(DType.U8));
      String family = nvfp4 ? "NV" : mx ? "MX" : "";
      boolean given = args.dynamic() == DynamicType.FALSE;
      return family
          + type
          + ", "
          + by
          + (args.symmetric() ? "" : ", asymmetric")
          + (given ? ", static" : "");
    }
  }
}
