package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.quern.formats.json.Json;
import dev.quern.formats.json.JsonReader;
import dev.quern.formats.json.JsonWriter;
import dev.quern.testdata.TinyCheckpoint;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Quantized sources of every kind whose configuration or tensors somebody changed, with a fixed
 * seed. Each is either planned or refused with where, what and a remedy; nothing else may happen.
 */
class HostileSourceTest {
  private static final int CONFIGS = 250;
  private static final int TENSORS = 120;
  private static final String UP = "model.layers.0.mlp.up_proj.";

  private static final List<String> VALUES =
      List.of(
          "null",
          "true",
          "false",
          "0",
          "-1",
          "1",
          "3",
          "4",
          "7",
          "33",
          "1048577",
          "2147483647",
          "2147483648",
          "4294967296",
          "9223372036854775807",
          "9223372036854775808",
          "1e308",
          "0.5",
          "\"\"",
          "\"x\"",
          "\"4\"",
          "\"group\"",
          "\"2147483647x2147483647\"",
          "[]",
          "[0, 0]",
          "[1, 1]",
          "[2147483647, 2147483647]",
          "[1048576, 1048576]",
          "[null]",
          "[\"re:(\"]",
          "[\"Linear\"]",
          "{}",
          "{\"weights\": {}}");

  private static final List<String> DTYPES =
      List.of("BF16", "F16", "F32", "F64", "I8", "U8", "I32", "I64", "F8_E4M3", "F8_E5M2", "BOOL");

  @TempDir Path temp;

  /** A small valid checkpoint of each kind; zeros suffice, since plans read headers. */
  enum Kind {
    GPTQ(
        "{\"quant_method\": \"gptq\", \"bits\": 4, \"group_size\": 32, \"desc_act\": false,"
            + " \"sym\": true, \"checkpoint_format\": \"gptq\"}") {
      @Override
      List<Part> parts() {
        return List.of(
            new Part("qweight", "I32", 8, 16),
            new Part("qzeros", "I32", 2, 2),
            new Part("scales", "F16", 2, 16),
            new Part("g_idx", "I32", 64));
      }
    },
    AWQ(
        "{\"quant_method\": \"awq\", \"bits\": 4, \"group_size\": 32, \"zero_point\": true,"
            + " \"version\": \"gemm\"}") {
      @Override
      List<Part> parts() {
        return List.of(
            new Part("qweight", "I32", 64, 2),
            new Part("qzeros", "I32", 2, 2),
            new Part("scales", "F16", 2, 16));
      }
    },
    FP8(
        "{\"quant_method\": \"fp8\", \"activation_scheme\": \"dynamic\", \"fmt\": \"e4m3\","
            + " \"weight_block_size\": [32, 32]}") {
      @Override
      List<Part> parts() {
        return List.of(
            new Part("weight", "F8_E4M3", 32, 64), new Part("weight_scale_inv", "F32", 1, 2));
      }
    },
    MODELOPT("{\"quant_method\": \"modelopt\", \"quant_algo\": \"NVFP4\", \"group_size\": 16}") {
      @Override
      List<Part> parts() {
        return List.of(
            new Part("weight", "U8", 16, 32),
            new Part("weight_scale", "F8_E4M3", 16, 4),
            new Part("weight_scale_2", "F32", 1),
            new Part("input_scale", "F32", 1));
      }
    },
    GPT_OSS("{\"quant_method\": \"mxfp4\", \"modules_to_not_convert\": [\"lm_head\"]}") {
      @Override
      List<Part> parts() {
        return List.of(
            new Part("experts.gate_up_proj_blocks", "U8", 2, 4, 2, 16),
            new Part("experts.gate_up_proj_scales", "U8", 2, 4, 2));
      }
    },
    PACKED(
        "{\"quant_method\": \"compressed-tensors\", \"format\": \"pack-quantized\", \"ignore\":"
            + " [\"lm_head\"], \"config_groups\": {\"g\": {\"targets\": [\"Linear\"], \"weights\":"
            + " {\"num_bits\": 4, \"type\": \"int\", \"symmetric\": false, \"strategy\": \"group\","
            + " \"group_size\": 32, \"actorder\": null}}}}") {
      @Override
      List<Part> parts() {
        return List.of(
            new Part("weight_packed", "I32", 16, 8),
            new Part("weight_scale", "BF16", 16, 2),
            new Part("weight_zero_point", "I32", 2, 2),
            new Part("weight_shape", "I64", 2));
      }
    },
    BLOCKS(
        "{\"quant_method\": \"compressed-tensors\", \"format\": \"float-quantized\","
            + " \"config_groups\": {\"g\": {\"targets\": [\"Linear\"], \"weights\": {\"num_bits\":"
            + " 8, \"type\": \"float\", \"strategy\": \"block\", \"block_structure\": [32,"
            + " 32]}}}}") {
      @Override
      List<Part> parts() {
        return List.of(
            new Part("weight", "F8_E4M3", 32, 64), new Part("weight_scale", "BF16", 1, 2));
      }
    },
    NVFP4(
        "{\"quant_method\": \"compressed-tensors\", \"format\": \"nvfp4-pack-quantized\","
            + " \"config_groups\": {\"g\": {\"targets\": [\"Linear\"], \"weights\": {\"num_bits\":"
            + " 4, \"type\": \"float\", \"strategy\": \"tensor_group\", \"group_size\": 16,"
            + " \"scale_dtype\": \"torch.float8_e4m3fn\"}}}, \"transform_config\": {}}") {
      @Override
      List<Part> parts() {
        return List.of(
            new Part("weight_packed", "U8", 16, 32),
            new Part("weight_scale", "F8_E4M3", 16, 4),
            new Part("weight_global_scale", "F32", 1));
      }
    };

    private final String config;

    Kind(String config) {
      this.config = config;
    }

    abstract List<Part> parts();

    Json.Obj config() {
      return (Json.Obj) JsonReader.parse(config.getBytes(StandardCharsets.UTF_8), "config");
    }
  }

  private record Part(String name, String dtype, long... shape) {
    private static int bytes(String dtype) {
      return switch (dtype) {
        case "I64", "F64" -> 8;
        case "I32", "F32" -> 4;
        case "BF16", "F16" -> 2;
        default -> 1;
      };
    }

    void addTo(TinyCheckpoint model) {
      long elements = 1;
      for (long dim : shape) {
        elements *= dim;
      }
      byte[] data = new byte[Math.toIntExact(elements * bytes(dtype))];
      if (name.equals("weight_shape") && data.length == 16) {
        data[0] = 16;
        data[8] = 64;
      }
      model.with(
          (name.startsWith("experts") ? "model.layers.0.mlp." : UP) + name, dtype, data, shape);
    }

    Part changed(SplittableRandom random) {
      long[] other = shape.clone();
      switch (random.nextInt(5)) {
        case 0 -> {
          return new Part(name, DTYPES.get(random.nextInt(DTYPES.size())), shape);
        }
        case 1 -> other[random.nextInt(other.length)] = random.nextInt(0, 5);
        case 2 -> other[random.nextInt(other.length)] *= 2;
        case 3 -> other = new long[random.nextInt(0, 4)];
        default -> other = new long[] {random.nextInt(1, 70), random.nextInt(1, 70)};
      }
      return new Part(name, dtype, other);
    }
  }

  private static TinyCheckpoint model(Json quantization, List<Part> parts) {
    TinyCheckpoint model =
        TinyCheckpoint.empty("BF16")
            .config(
                "{\"model_type\": \"llama\", \"hidden_size\": 64, \"torch_dtype\": \"bfloat16\","
                    + " \"quantization_config\": "
                    + JsonWriter.compact(quantization)
                    + "}")
            .random("model.norm.weight", 64)
            .random("model.layers.0.self_attn.q_proj.weight", 32, 64);
    parts.forEach(part -> part.addTo(model));
    return model;
  }

  /** One value somewhere in a document is another one, or gone, or new. */
  private static Json changed(Json json, SplittableRandom random) {
    if (json instanceof Json.Obj obj && !obj.members().isEmpty()) {
      List<String> names = new ArrayList<>(obj.members().keySet());
      String name = names.get(random.nextInt(names.size()));
      Json old = obj.members().get(name);
      return switch (random.nextInt(8)) {
        case 0 -> obj.without(name);
        case 1 -> obj.with("surprise", value(random));
        case 2, 3 -> obj.with(name, value(random));
        default -> obj.with(name, changed(old, random));
      };
    }
    return value(random);
  }

  private static Json value(SplittableRandom random) {
    String text = "{\"v\": " + VALUES.get(random.nextInt(VALUES.size())) + "}";
    Json.Obj one = (Json.Obj) JsonReader.parse(text.getBytes(StandardCharsets.UTF_8), "value");
    return one.find("v").orElseThrow();
  }

  /** Whether it was planned. */
  private boolean planned(TinyCheckpoint model, String what) {
    Path in = model.write(temp.resolve("in"));
    boolean planned =
        attempt(what, () -> Quern.plan(DecompressionOptions.of(in, temp.resolve("o"))));
    attempt(what, () -> Quern.plan(CompressionOptions.of(in, temp.resolve("o"), "FP8_DYNAMIC")));
    attempt(what, () -> Quern.inspect(in));
    return planned;
  }

  private static boolean attempt(String what, Runnable work) {
    try {
      work.run();
      return true;
    } catch (QuernException e) {
      assertThat(e.getMessage()).as(what).contains(": ").matches("(?s).*[.?]");
      return false;
    } catch (RuntimeException | AssertionError | OutOfMemoryError | StackOverflowError e) {
      return fail(what, e);
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void changedConfigurations(Kind kind) {
    assertThat(planned(model(kind.config(), kind.parts()), "unchanged")).isTrue();
    SplittableRandom random = new SplittableRandom(kind.ordinal());
    int refused = 0;
    for (int i = 0; i < CONFIGS; i++) {
      Json config = changed(kind.config(), random);
      config = random.nextBoolean() ? changed(config, random) : config;
      refused += planned(model(config, kind.parts()), JsonWriter.compact(config)) ? 0 : 1;
    }
    assertThat(refused).isGreaterThan(CONFIGS / 10);
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void changedTensors(Kind kind) {
    SplittableRandom random = new SplittableRandom(100 + kind.ordinal());
    int refused = 0;
    for (int i = 0; i < TENSORS; i++) {
      List<Part> parts = new ArrayList<>(kind.parts());
      int which = random.nextInt(parts.size());
      Part part = parts.get(which).changed(random);
      if (random.nextInt(6) == 0) {
        parts.remove(which);
      } else {
        parts.set(which, part);
      }
      refused += planned(model(kind.config(), parts), kind + " with " + part) ? 0 : 1;
    }
    assertThat(refused).isGreaterThan(TENSORS / 2);
  }
}
