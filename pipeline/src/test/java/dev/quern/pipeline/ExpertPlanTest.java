package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Plans for models of real sizes, from files that have headers and holes instead of weights. Layers
 * repeat, so a few of each kind are enough.
 */
class ExpertPlanTest {
  @TempDir Path temp;

  private final List<String> entries = new ArrayList<>();
  private long bytes;

  private void tensor(String name, String dtype, long... shape) {
    long size =
        switch (dtype) {
          case "BF16" -> 2;
          case "F32" -> 4;
          default -> 1;
        };
    List<String> dims = new ArrayList<>();
    for (long dim : shape) {
      size *= dim;
      dims.add(Long.toString(dim));
    }
    entries.add(
        "\""
            + name
            + "\":{\"dtype\":\""
            + dtype
            + "\",\"shape\":["
            + String.join(",", dims)
            + "],\"data_offsets\":["
            + bytes
            + ","
            + (bytes + size)
            + "]}");
    bytes += size;
  }

  private Path write(String config) throws Exception {
    Path folder = temp.resolve("in");
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("config.json"), config);
    byte[] header = ("{" + String.join(",", entries) + "}").getBytes(StandardCharsets.UTF_8);
    try (RandomAccessFile file =
        new RandomAccessFile(folder.resolve("model.safetensors").toFile(), "rw")) {
      file.write(
          ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length).array());
      file.write(header);
      file.setLength(8 + header.length + bytes);
    }
    return folder;
  }

  private CompressionPlan plan(String config, String... ignore) throws Exception {
    Path model = write(config);
    CompressionPlan plan =
        Quern.plan(
            CompressionOptions.of(model, temp.resolve("out"), "FP8_DYNAMIC")
                .withIgnore(List.of(ignore)));
    assertLedger(model, plan);
    return plan;
  }

  /** Every byte of every tensor has one owner. */
  static void assertLedger(Path model, CompressionPlan plan) {
    Map<String, Long> owned = new HashMap<>();
    plan.tensors()
        .forEach(t -> t.parts().forEach(p -> owned.merge(p.tensor().name(), p.bytes(), Long::sum)));
    plan.dropped().forEach(t -> owned.merge(t.name(), t.bytes(), Long::sum));
    Map<String, Long> stored =
        Quern.inspect(model).tensors().stream()
            .collect(Collectors.toMap(Inspection.Tensor::name, Inspection.Tensor::bytes));
    assertThat(owned).isEqualTo(stored);
  }

  private static TensorPlan find(CompressionPlan plan, String name) {
    return plan.tensors().stream().filter(t -> t.name().equals(name)).findFirst().orElseThrow();
  }

  private void attention(String layer, long hidden, long queries, long keys) {
    tensor(layer + "self_attn.q_proj.weight", "BF16", queries, hidden);
    tensor(layer + "self_attn.k_proj.weight", "BF16", keys, hidden);
    tensor(layer + "self_attn.v_proj.weight", "BF16", keys, hidden);
    tensor(layer + "self_attn.o_proj.weight", "BF16", hidden, queries);
    tensor(layer + "input_layernorm.weight", "BF16", hidden);
    tensor(layer + "post_attention_layernorm.weight", "BF16", hidden);
  }

  private void ends(long vocabulary, long hidden) {
    tensor("model.embed_tokens.weight", "BF16", vocabulary, hidden);
    tensor("model.norm.weight", "BF16", hidden);
    tensor("lm_head.weight", "BF16", vocabulary, hidden);
  }

  @Test
  void llama3With8B() throws Exception {
    ends(128256, 4096);
    for (int i = 0; i < 32; i++) {
      String layer = "model.layers." + i + ".";
      attention(layer, 4096, 4096, 1024);
      tensor(layer + "mlp.gate_proj.weight", "BF16", 14336, 4096);
      tensor(layer + "mlp.up_proj.weight", "BF16", 14336, 4096);
      tensor(layer + "mlp.down_proj.weight", "BF16", 4096, 14336);
    }
    CompressionPlan plan = plan("{\"model_type\": \"llama\", \"hidden_size\": 4096}");

    assertThat(plan.bytesBefore()).isEqualTo(16_060_522_496L);
    assertThat(plan.quantizedTensors()).isEqualTo(32 * 7);
    assertThat(plan.ignored()).containsExactly("lm_head");
    assertThat(plan.warnings()).noneMatch(warning -> warning.contains("expert"));
  }

  @ParameterizedTest
  @CsvSource({"qwen3_moe, false", "qwen3_vl_moe_text, false", "qwen3_vl_moe_text, true"})
  void fusedExpertsOfQwen3With30B(String type, boolean transposed) throws Exception {
    ends(151936, 2048);
    String experts = "model.layers.0.mlp.experts.";
    attention("model.layers.0.", 2048, 4096, 512);
    tensor("model.layers.0.mlp.gate.weight", "BF16", 128, 2048);
    tensor(
        experts + "gate_up_proj", "BF16", 128, transposed ? 2048 : 1536, transposed ? 1536 : 2048);
    tensor(experts + "down_proj", "BF16", 128, transposed ? 768 : 2048, transposed ? 2048 : 768);
    CompressionPlan plan = plan("{\"model_type\": \"" + type + "\", \"hidden_size\": 2048}");

    assertThat(plan.quantizedTensors()).isEqualTo(4 + 3 * 128);
    assertThat(find(plan, experts + "127.gate_proj.weight").shape()).containsExactly(768L, 2048L);
    assertThat(find(plan, experts + "0.up_proj.weight").shape()).containsExactly(768L, 2048L);
    assertThat(find(plan, experts + "5.down_proj.weight").shape()).containsExactly(2048L, 768L);
    assertThat(find(plan, experts + "5.down_proj.weight").reason()).contains("fused experts");
    assertThat(plan.ignored()).containsExactly("model.layers.0.mlp.gate", "lm_head");
    assertThat(plan.warnings()).isEmpty();
  }

  @Test
  void expertsThatNobodyWantsStayTogether() throws Exception {
    ends(1000, 2048);
    attention("model.layers.0.", 2048, 4096, 512);
    tensor("model.layers.0.mlp.experts.gate_up_proj", "BF16", 128, 1536, 2048);
    CompressionPlan plan =
        plan("{\"model_type\": \"qwen3_moe\", \"hidden_size\": 2048}", "re:.*experts.*");

    assertThat(find(plan, "model.layers.0.mlp.experts.gate_up_proj").fate()).isEqualTo("copy");
    assertThat(plan.quantizedTensors()).isEqualTo(4);
  }

  @Test
  void aLayerIsTakenApartAsAWhole() throws Exception {
    ends(1000, 2048);
    tensor("model.layers.0.mlp.experts.gate_up_proj", "BF16", 4, 1536, 2048);
    tensor("model.layers.0.mlp.experts.down_proj", "BF16", 4, 2048, 768);
    CompressionPlan plan =
        plan("{\"model_type\": \"qwen3_moe\", \"hidden_size\": 2048}", "re:.*down_proj");

    assertThat(plan.quantizedTensors()).isEqualTo(2 * 4);
    assertThat(find(plan, "model.layers.0.mlp.experts.3.down_proj.weight").fate())
        .isEqualTo("split");
    assertThat(plan.ignored())
        .contains("model.layers.0.mlp.experts.3.down_proj")
        .noneMatch(entry -> entry.startsWith("re:"));
  }

  @Test
  void fusedExpertsOfAnUnknownModelStayTogetherWithAWarning() throws Exception {
    ends(1000, 2048);
    attention("model.layers.0.", 2048, 4096, 512);
    tensor("model.layers.0.mlp.experts.gate_up_proj", "BF16", 128, 1536, 2048);
    CompressionPlan plan = plan("{\"model_type\": \"nobody_knows\", \"hidden_size\": 2048}");

    assertThat(find(plan, "model.layers.0.mlp.experts.gate_up_proj").fate()).isEqualTo("copy");
    assertThat(plan.warnings()).anyMatch(w -> w.contains("experts fused in one"));
    assertThat(plan.ignored()).anyMatch(entry -> entry.contains("experts"));
  }

  @Test
  void mixtralWithSingleExpertsAndFused() throws Exception {
    ends(32000, 4096);
    attention("model.layers.0.", 4096, 4096, 1024);
    attention("model.layers.1.", 4096, 4096, 1024);
    tensor("model.layers.0.block_sparse_moe.gate.weight", "BF16", 8, 4096);
    for (int e = 0; e < 8; e++) {
      String expert = "model.layers.0.block_sparse_moe.experts." + e + ".";
      tensor(expert + "w1.weight", "BF16", 14336, 4096);
      tensor(expert + "w2.weight", "BF16", 4096, 14336);
      tensor(expert + "w3.weight", "BF16", 14336, 4096);
    }
    tensor("model.layers.1.block_sparse_moe.experts.gate_up_proj", "BF16", 8, 28672, 4096);
    tensor("model.layers.1.block_sparse_moe.experts.down_proj", "BF16", 8, 4096, 14336);
    CompressionPlan plan = plan("{\"model_type\": \"mixtral\", \"hidden_size\": 4096}");

    assertThat(plan.quantizedTensors()).isEqualTo(8 + 2 * 24);
    for (String part : List.of("w1", "w2", "w3")) {
      assertThat(
              find(plan, "model.layers.1.block_sparse_moe.experts.7." + part + ".weight").shape())
          .isEqualTo(
              find(plan, "model.layers.0.block_sparse_moe.experts.7." + part + ".weight").shape());
    }
  }

  @Test
  void deepSeekV3InFp8() throws Exception {
    String layer = "model.layers.3.";
    ends(129280, 7168);
    fp8(layer + "self_attn.q_a_proj", 1536, 7168);
    fp8(layer + "self_attn.kv_a_proj_with_mqa", 576, 7168);
    fp8(layer + "self_attn.o_proj", 7168, 16384);
    tensor(layer + "mlp.gate.weight", "BF16", 256, 7168);
    tensor(layer + "mlp.gate.e_score_correction_bias", "F32", 256);
    for (int e = 0; e < 256; e++) {
      fp8(layer + "mlp.experts." + e + ".gate_proj", 2048, 7168);
      fp8(layer + "mlp.experts." + e + ".up_proj", 2048, 7168);
      fp8(layer + "mlp.experts." + e + ".down_proj", 7168, 2048);
    }
    // The multi-token-prediction layer.
    tensor("model.layers.61.eh_proj.weight", "BF16", 7168, 14336);
    fp8("model.layers.61.self_attn.o_proj", 7168, 16384);
    CompressionPlan plan =
        plan(
            "{\"model_type\": \"deepseek_v3\", \"hidden_size\": 7168, \"torch_dtype\":"
                + " \"bfloat16\", \"quantization_config\": {\"quant_method\": \"fp8\","
                + " \"weight_block_size\": [128, 128]}}");

    assertThat(plan.quantizedTensors()).isEqualTo(3 + 3 * 256);
    TensorPlan kv = find(plan, layer + "self_attn.kv_a_proj_with_mqa.weight");
    assertThat(kv.dtype()).isEqualTo("BF16");
    assertThat(kv.reason()).contains("FP8, blocks of 128 x 128");
    assertThat(kv.parts()).hasSize(2);
    assertThat(find(plan, "model.layers.61.self_attn.o_proj.weight").fate())
        .isEqualTo("dequantize");
    assertThat(find(plan, layer + "mlp.gate.weight").fate()).isEqualTo("copy");
  }

  private void fp8(String module, long rows, long cols) {
    tensor(module + ".weight", "F8_E4M3", rows, cols);
    tensor(module + ".weight_scale_inv", "F32", (rows + 127) / 128, (cols + 127) / 128);
  }

  @Test
  void gptOssWith20B() throws Exception {
    ends(201088, 2880);
    attention("model.layers.0.", 2880, 4096, 512);
    String mlp = "model.layers.0.mlp.";
    tensor(mlp + "router.weight", "BF16", 32, 2880);
    tensor(mlp + "experts.gate_up_proj_blocks", "U8", 32, 5760, 90, 16);
    tensor(mlp + "experts.gate_up_proj_scales", "U8", 32, 5760, 90);
    tensor(mlp + "experts.gate_up_proj_bias", "BF16", 32, 5760);
    tensor(mlp + "experts.down_proj_blocks", "U8", 32, 2880, 90, 16);
    tensor(mlp + "experts.down_proj_scales", "U8", 32, 2880, 90);
    tensor(mlp + "experts.down_proj_bias", "BF16", 32, 2880);
    CompressionPlan plan =
        plan(
            "{\"model_type\": \"gpt_oss\", \"hidden_size\": 2880, \"quantization_config\":"
                + " {\"quant_method\": \"mxfp4\", \"modules_to_not_convert\": []}}");

    assertThat(plan.quantizedTensors()).isEqualTo(4 + 3 * 32);
    TensorPlan gate = find(plan, mlp + "experts.31.gate_proj.weight");
    assertThat(gate.shape()).containsExactly(2880L, 2880L);
    assertThat(gate.bytesBefore()).isEqualTo(2880 * 90 * 17);
    assertThat(find(plan, mlp + "experts.31.up_proj.bias").shape()).containsExactly(2880L);
    assertThat(find(plan, mlp + "experts.31.up_proj.bias").fate()).isEqualTo("split");
  }

  @Test
  void llama4HoldsItsExpertsTransposed() throws Exception {
    ends(1000, 5120);
    String experts = "language_model.model.layers.0.feed_forward.experts.";
    tensor("language_model.model.layers.0.self_attn.q_proj.weight", "BF16", 5120, 5120);
    tensor(experts + "gate_up_proj", "BF16", 16, 5120, 16384);
    tensor(experts + "down_proj", "BF16", 16, 8192, 5120);
    CompressionPlan plan =
        plan(
            "{\"model_type\": \"llama4\", \"text_config\": {\"model_type\": \"llama4_text\","
                + " \"hidden_size\": 5120}}");

    assertThat(plan.quantizedTensors()).isEqualTo(1 + 3 * 16);
    assertThat(find(plan, experts + "3.gate_proj.weight").shape()).containsExactly(8192L, 5120L);
    assertThat(find(plan, experts + "3.down_proj.weight").shape()).containsExactly(5120L, 8192L);
  }
}
