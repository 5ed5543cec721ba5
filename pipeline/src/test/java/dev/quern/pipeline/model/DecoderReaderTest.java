package dev.quern.pipeline.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.model.DecoderSpec;
import dev.quern.engine.model.LayerObserver;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.json.Json;
import dev.quern.pipeline.source.SourceModel;
import dev.quern.testdata.TestData;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What is read from configurations, what is refused, and what an observer is shown. */
class DecoderReaderTest {
  private static final int[] IDS = IntStream.range(0, 40).map(i -> i * 7 % 64).toArray();

  private interface Change {
    Json.Obj of(Json.Obj config);
  }

  private static HuggingFaceCheckpoint open(String name) {
    return HuggingFaceCheckpoint.open(TestData.path("models/tiny/" + name));
  }

  private static DecoderSpec read(String name, Change change) {
    try (HuggingFaceCheckpoint checkpoint = open(name)) {
      Json.Obj config = change.of(checkpoint.config());
      return DecoderReader.read(
          config, SourceModel.open(checkpoint).withSingleExperts(config, _ -> true));
    }
  }

  @Test
  void bothFormsOfPositionsMeanTheSame() {
    Json.Obj yarn =
        Json.Obj.of(
            Map.of(
                "rope_type", Json.of("yarn"),
                "factor", Json.of(4.0),
                "original_max_position_embeddings", Json.of(16)));
    Change newer =
        config -> config.with("rope_parameters", yarn.with("rope_theta", Json.of(5000.0)));
    Change older =
        config ->
            config
                .without("rope_parameters")
                .with("rope_theta", Json.of(5000.0))
                .with("rope_scaling", yarn);
    DecoderSpec read = read("llama", newer);
    assertThat(read).isEqualTo(read("llama", older)).isNotEqualTo(read("llama", c -> c));
    assertThat(read.layers().getFirst().attention().rope().orElseThrow().theta()).isEqualTo(5000);
  }

  @Test
  void gemma3OfTransformers4MeansTheSame() {
    Change older =
        config ->
            config
                .without("rope_parameters")
                .without("layer_types")
                .with("sliding_window_pattern", Json.of(2))
                .with("rope_theta", Json.of(1e6))
                .with("rope_local_base_freq", Json.of(100.0))
                .with(
                    "rope_scaling",
                    Json.Obj.of(Map.of("rope_type", Json.of("linear"), "factor", Json.of(4.0))));
    assertThat(read("gemma3_text", older)).isEqualTo(read("gemma3_text", config -> config));
  }

  @Test
  void olderQwenSlidesByItsSwitch() {
    Change older = config -> config.without("layer_types");
    assertThat(read("qwen2", older)).isEqualTo(read("qwen2", config -> config));
    Change off = config -> older.of(config).with("use_sliding_window", Json.of(false));
    assertThat(read("qwen2", off).layers())
        .allSatisfy(layer -> assertThat(layer.attention().window()).isZero());
  }

  @Test
  void anUnknownArchitectureIsRefusedWithTheList() {
    assertThatThrownBy(() -> read("llama", c -> c.with("model_type", Json.of("mamba"))))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("config.json")
        .hasMessageContaining("found \"mamba\"")
        .hasMessageContaining(
            "llama, smollm3, mistral, mixtral, qwen2, qwen2_moe, qwen3, qwen3_moe")
        .hasMessageContaining("Gemma 3 (text), Phi-3, Granite, OLMo 2")
        .hasMessageContaining("schemes without calibration work for any model: FP8_DYNAMIC");
  }

  @Test
  void aTensorWithoutAPlaceIsRefused() {
    assertThatThrownBy(() -> read("llama", c -> c.with("num_hidden_layers", Json.of(1))))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("expected only tensors that a decoder of type Llama")
        .hasMessageContaining("model.layers.1.");
  }

  @Test
  void aShapeThatDoesNotFitIsRefused() {
    assertThatThrownBy(() -> read("llama", c -> c.with("intermediate_size", Json.of(41))))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("gate_proj.weight")
        .hasMessageContaining("expected shape [41, 32] by config.json, found [40, 32]");
  }

  @Test
  void settingsThatMeanNothingAreRefused() {
    assertRefused("hidden_act", Json.of("relu"), "silu or gelu_pytorch_tanh, found relu");
    assertRefused("hidden_size", Json.of(0), "a number from 1 to");
    assertRefused("num_key_value_heads", Json.of(3), "a divisor of 4 attention heads");
    assertRefused(
        "rope_parameters",
        Json.Obj.of(Map.of("rope_type", Json.of("spiral"))),
        "linear, dynamic, yarn, llama3 or longrope, found spiral");
    assertRefused(
        "rope_parameters",
        Json.Obj.of(Map.of("rope_type", Json.of("linear"))),
        "\"factor\" should be a number above 0, found nothing");
  }

  private static void assertRefused(String key, Json value, String message) {
    assertThatThrownBy(() -> read("llama", config -> config.with(key, value)))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(message);
  }

  /** Notes the shape of every input, and adds up what it sees. */
  private static final class Shapes implements LayerObserver {
    final Map<String, String> seen = new TreeMap<>();
    final Map<String, Integer> rows = new TreeMap<>();

    @Override
    public void input(List<String> linears, FloatMatrix input) {
      seen.put(String.join(" ", linears), "" + input.columns());
      rows.merge(linears.getFirst(), input.rows(), Integer::sum);
    }

    @Override
    public void keys(String attention, FloatMatrix keys) {
      seen.put(attention + " keys", "" + keys.columns());
    }

    @Override
    public void values(String attention, FloatMatrix values) {
      seen.put(attention + " values", "" + values.columns());
    }
  }

  private static Shapes observe(String name) {
    Shapes shapes = new Shapes();
    Path folder = TestData.path("models/tiny/" + name);
    ForwardPass.logits(folder, Kernels.best(), 1, IDS, shapes);
    return shapes;
  }

  @Test
  void anObserverSeesEveryInputOnce() {
    String attention = "model.layers.0.self_attn";
    String mlp = "model.layers.0.mlp";
    assertThat(observe("mistral").seen)
        .hasSize(13)
        .containsEntry(
            attention + ".q_proj " + attention + ".k_proj " + attention + ".v_proj", "32")
        .containsEntry(attention + ".o_proj", "48")
        .containsEntry(attention + " keys", "24")
        .containsEntry(attention + " values", "24")
        .containsEntry(mlp + ".gate_proj " + mlp + ".up_proj", "32")
        .containsEntry(mlp + ".down_proj", "40")
        .containsEntry("lm_head", "32");
    assertThat(observe("phi3").seen)
        .containsEntry(attention + ".qkv_proj", "32")
        .containsEntry(mlp + ".gate_up_proj", "32");
  }

  @Test
  void eachTokenGoesToItsNumberOfExperts() {
    Shapes shapes = observe("mixtral");
    String experts = "model.layers.0.block_sparse_moe.experts.";
    int tokens =
        IntStream.range(0, 4).map(e -> shapes.rows.getOrDefault(experts + e + ".w2", 0)).sum();
    assertThat(tokens).isEqualTo(2 * IDS.length);
    assertThat(shapes.seen).containsEntry("model.layers.0.block_sparse_moe.gate", "32");
  }

  @Test
  void whatAnObserverWritesIsWhatGoesOn() {
    Path folder = TestData.path("models/tiny/llama");
    LayerObserver zeros =
        new LayerObserver() {
          @Override
          public void input(List<String> linears, FloatMatrix input) {
            if (linears.contains("lm_head")) {
              for (int row = 0; row < input.rows(); row++) {
                for (int column = 0; column < input.columns(); column++) {
                  input.set(row, column, 0);
                }
              }
            }
          }
        };
    for (float[] position : ForwardPass.logits(folder, Kernels.best(), 1, IDS, zeros)) {
      assertThat(position).containsOnly(0f);
    }
  }
}
