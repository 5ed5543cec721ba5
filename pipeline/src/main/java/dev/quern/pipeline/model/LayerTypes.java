package dev.quern.pipeline.model;

import dev.quern.formats.json.Json;
import java.util.List;
import java.util.Optional;

/** In what the layers of a model differ: windows, rotation, experts. */
final class LayerTypes {
  private static final String SLIDING = "sliding_attention";
  private static final String FULL = "full_attention";

  private final Architecture architecture;
  private final Settings config;
  private final int layers;
  private final int window;
  private final Optional<List<Json>> types;

  LayerTypes(Architecture architecture, Settings config) {
    this.architecture = architecture;
    this.config = config;
    layers = config.size("num_hidden_layers");
    // 0 stands for none, too.
    window = (int) Math.min(config.number("sliding_window", defaultWindow()), 1 << 26);
    types = config.json().array("layer_types");
    if (types.isPresent() && types.get().size() < layers) {
      throw config.wrong(
          "layer_types",
          "a list with one for each of " + layers + " layers",
          types.get().size() + " items");
    }
  }

  private int defaultWindow() {
    return switch (architecture) {
      case GEMMA2, GEMMA3 -> 4096;
      default -> 0;
    };
  }

  int layers() {
    return layers;
  }

  /** How many tokens each one sees in a layer; 0 for all. */
  int window(int layer) {
    return isSliding(layer) ? window : 0;
  }

  boolean isSliding(int layer) {
    return window > 0
        && switch (architecture.windows()) {
          case NEVER -> false;
          case ALWAYS -> true;
          case BY_SWITCH -> config.is("use_sliding_window", false);
          case BY_LAYER_TYPES -> types.isPresent() ? named(layer) : byDefault(layer);
        };
  }

  private boolean named(int layer) {
    String name = types.get().get(layer) instanceof Json.Str text ? text.value() : "no name";
    return switch (name) {
      case SLIDING -> true;
      case FULL -> false;
      default -> throw config.wrong("layer_types", SLIDING + " or " + FULL, name);
    };
  }

  /** What transformers 4 configurations, which have no {@code layer_types}, mean. */
  private boolean byDefault(int layer) {
    return switch (architecture) {
      case GEMMA2 -> layer % 2 == 0;
      case GEMMA3 -> (layer + 1) % config.size("sliding_window_pattern", 6) != 0;
      case QWEN2, QWEN3 -> config.is("use_sliding_window", false) && layer >= firstWindow();
      case QWEN2_MOE ->
          config.is("use_sliding_window", false) && layer % 2 == 0 && layer < firstWindow();
      case SMOLLM3 -> config.is("use_sliding_window", false) && !isRotated(layer);
      default -> throw new IllegalStateException(architecture.toString());
    };
  }

  private int firstWindow() {
    return (int) Math.min(config.number("max_window_layers", 28), 1 << 26);
  }

  /** Whether positions are encoded in a layer. */
  boolean isRotated(int layer) {
    if (architecture != Architecture.SMOLLM3) {
      return true;
    }
    Optional<List<Json>> flags = config.json().array("no_rope_layers");
    if (flags.isPresent() && layer < flags.get().size()) {
      return flags.get().get(layer) instanceof Json.Num number && number.doubleValue() != 0;
    }
    return (layer + 1) % config.size("no_rope_layer_interval", 4) != 0;
  }

  /** Whether a layer of a mixture of experts is one, and not a single network. */
  boolean hasExperts(int layer) {
    List<Json> single = config.json().array("mlp_only_layers").orElse(List.of());
    boolean isSingle =
        single.stream().anyMatch(item -> item instanceof Json.Num n && n.doubleValue() == layer);
    return !isSingle && (layer + 1) % config.size("decoder_sparse_step", 1) == 0;
  }
}
