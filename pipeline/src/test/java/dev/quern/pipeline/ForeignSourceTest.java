package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.engine.numeric.Bf16;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp16;
import dev.quern.engine.numeric.Fp8E4M3;
import dev.quern.formats.huggingface.HuggingFaceCheckpoint;
import dev.quern.formats.huggingface.SourceTensor;
import dev.quern.formats.json.JsonReader;
import dev.quern.testdata.TinyCheckpoint;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Locale;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Checkpoints of other software. Each test packs numbers of its own by the documented layout,
 * element by element, and expects the formula of that software to come back.
 */
class ForeignSourceTest {
  private static final String MODULE = "model.layers.0.mlp.up_proj.";
  private static final float[] FP4 = {
    0, .5f, 1, 1.5f, 2, 3, 4, 6, -0f, -.5f, -1, -1.5f, -2, -3, -4, -6
  };

  @TempDir Path temp;

  private final SplittableRandom random = new SplittableRandom(11);

  private static String config(String quantization) {
    return "{\"model_type\": \"llama\", \"torch_dtype\": \"bfloat16\", \"quantization_config\": {"
        + quantization
        + "}}";
  }

  private static ByteBuffer buffer(long bytes) {
    return ByteBuffer.allocate(Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Sets {@code bits} bits of a string of words that are {@code step} words apart. */
  private static void put(ByteBuffer words, int base, int step, int field, int bits, int value) {
    for (int b = 0; b < bits; b++) {
      int bit = field * bits + b;
      int at = 4 * (base + bit / 32 * step);
      words.putInt(at, words.getInt(at) | (value >> b & 1) << bit % 32);
    }
  }

  private static byte[] f16(float[] values) {
    ByteBuffer bytes = buffer(2L * values.length);
    for (float value : values) {
      bytes.putShort(Fp16.encode(value));
    }
    return bytes.array();
  }

  private static byte[] f32(float... values) {
    ByteBuffer bytes = buffer(4L * values.length);
    for (float value : values) {
      bytes.putFloat(value);
    }
    return bytes.array();
  }

  private float[] scales(int count) {
    float[] scales = new float[count];
    for (int i = 0; i < count; i++) {
      scales[i] = Fp16.decode(Fp16.encode((float) random.nextDouble(0.001, 0.1)));
    }
    return scales;
  }

  private static float bf16(float value) {
    return Bf16.decode(Bf16.encode(value));
  }

  /** Decompresses, checks the ledger, and gives the one matrix. */
  private float[] decompress(TinyCheckpoint model) throws Exception {
    Path in = model.random("model.norm.weight", 8).write(temp.resolve("in"));
    Path out = temp.resolve("out");
    DecompressionReport report =
        Quern.decompress(DecompressionOptions.of(in, out).withThreads(2), Progress.NONE);
    DecompressGoldenTest.assertEveryTensorHasOneFate(in, report.plan());
    assertThat(JsonReader.readObject(out.resolve("config.json")).has("quantization_config"))
        .isFalse();
    return matrix(out, MODULE + "weight");
  }

  private static float[] matrix(Path model, String name) {
    try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(model);
        Arena arena = Arena.ofConfined()) {
      SourceTensor tensor = checkpoint.find(name).orElseThrow();
      FloatType type = FloatType.of(tensor.info().dtype()).orElseThrow();
      MemorySegment data = tensor.file().map(tensor.info(), 0, tensor.info().bytes(), arena);
      float[] values = new float[(int) tensor.info().elements()];
      for (int i = 0; i < values.length; i++) {
        values[i] = type.load(data, (long) i * type.bytes());
      }
      return values;
    }
  }

  @ParameterizedTest
  @CsvSource({
    "2, gptq, false",
    "3, gptq, false",
    "4, gptq, false",
    "8, gptq, false",
    "4, gptq_v2, false",
    "3, gptq_v2, true",
    "4, gptq, true"
  })
  void gptq(int bits, String format, boolean actOrder) throws Exception {
    int in = 96;
    int out = 64;
    int group = 32;
    int groups = in / group;
    int[] groupOf = new int[in];
    for (int k = 0; k < in; k++) {
      groupOf[k] = actOrder ? random.nextInt(groups) : k / group;
    }
    ByteBuffer qweight = buffer((long) in * bits / 32 * out * 4);
    ByteBuffer qzeros = buffer((long) groups * out * bits / 32 * 4);
    float[] scales = scales(groups * out);
    int[][] zero = new int[groups][out];
    for (int g = 0; g < groups; g++) {
      for (int n = 0; n < out; n++) {
        // Zero is stored as all ones by the first format.
        zero[g][n] = random.nextInt(1 << bits);
        int stored = format.equals("gptq") ? zero[g][n] - 1 & (1 << bits) - 1 : zero[g][n];
        put(qzeros, g * out * bits / 32, 1, n, bits, stored);
      }
    }
    float[] expected = new float[out * in];
    for (int n = 0; n < out; n++) {
      for (int k = 0; k < in; k++) {
        int code = random.nextInt(1 << bits);
        put(qweight, n, out, k, bits, code);
        float scale = scales[groupOf[k] * out + n];
        float product = (code - zero[groupOf[k]][n]) * scale;
        expected[n * in + k] = bf16(Fp16.decode(Fp16.encode(product)));
      }
    }
    ByteBuffer index = buffer(4L * in);
    for (int g : groupOf) {
      index.putInt(g);
    }
    TinyCheckpoint model =
        TinyCheckpoint.empty("BF16")
            .config(
                config(
                    String.format(
                        Locale.ROOT,
                        "\"quant_method\": \"gptq\", \"bits\": %d, \"group_size\": %d,"
                            + " \"checkpoint_format\": \"%s\"",
                        bits,
                        group,
                        format)))
            .with(MODULE + "qweight", "I32", qweight.array(), (long) in * bits / 32, out)
            .with(MODULE + "qzeros", "I32", qzeros.array(), groups, (long) out * bits / 32)
            .with(MODULE + "scales", "F16", f16(scales), groups, out)
            .with(MODULE + "g_idx", "I32", index.array(), in);
    assertThat(decompress(model)).containsExactly(expected);
  }

  @Test
  void awq() throws Exception {
    int in = 64;
    int out = 48;
    int groups = 2;
    int[] order = {0, 2, 4, 6, 1, 3, 5, 7};
    int[][] code = new int[in][out];
    int[][] zero = new int[groups][out];
    ByteBuffer qweight = buffer((long) in * out / 2);
    ByteBuffer qzeros = buffer((long) groups * out / 2);
    for (int k = 0; k < in; k++) {
      for (int nibble = 0; nibble < out; nibble++) {
        int n = nibble / 8 * 8 + order[nibble % 8];
        code[k][n] = random.nextInt(16);
        put(qweight, k * out / 8, 1, nibble, 4, code[k][n]);
        if (k < groups) {
          zero[k][n] = random.nextInt(16);
          put(qzeros, k * out / 8, 1, nibble, 4, zero[k][n]);
        }
      }
    }
    float[] scales = scales(groups * out);
    float[] expected = new float[out * in];
    for (int n = 0; n < out; n++) {
      for (int k = 0; k < in; k++) {
        int g = k / (in / groups);
        float product = (code[k][n] - zero[g][n]) * scales[g * out + n];
        expected[n * in + k] = bf16(Fp16.decode(Fp16.encode(product)));
      }
    }
    TinyCheckpoint model =
        TinyCheckpoint.empty("BF16")
            .config(config("\"quant_method\": \"awq\", \"bits\": 4, \"version\": \"gemm\""))
            .with(MODULE + "qweight", "I32", qweight.array(), in, out / 8)
            .with(MODULE + "qzeros", "I32", qzeros.array(), groups, out / 8)
            .with(MODULE + "scales", "F16", f16(scales), groups, out);
    assertThat(decompress(model)).containsExactly(expected);
  }

  private byte[] e4m3(int count) {
    byte[] codes = new byte[count];
    for (int i = 0; i < count; i++) {
      do {
        codes[i] = (byte) random.nextInt(256);
      } while ((codes[i] & 0x7F) == 0x7F);
    }
    return codes;
  }

  @Test
  void deepSeekBlocksWithRaggedEdges() throws Exception {
    int rows = 150;
    int cols = 140;
    byte[] codes = e4m3(rows * cols);
    float[] scales = {0.01f, 0.0123f, 1e-4f, 3e-3f};
    float[] expected = new float[rows * cols];
    for (int i = 0; i < expected.length; i++) {
      int tile = i / cols / 128 * 2 + i % cols / 128;
      expected[i] = bf16(Fp8E4M3.decode(codes[i]) * scales[tile]);
    }
    TinyCheckpoint model =
        TinyCheckpoint.empty("BF16")
            .config(
                config(
                    "\"quant_method\": \"fp8\", \"fmt\": \"e4m3\", \"weight_block_size\": [128,"
                        + " 128]"))
            .with(MODULE + "weight", "F8_E4M3", codes, rows, cols)
            .with(MODULE + "weight_scale_inv", "F32", f32(scales), 2, 2);
    assertThat(decompress(model)).containsExactly(expected);
  }

  @ParameterizedTest
  @CsvSource({"true", "false"})
  void fp8ByTensorAndByRow(boolean byRow) throws Exception {
    byte[] codes = e4m3(6 * 40);
    float[] scales = byRow ? new float[] {.1f, .2f, .3f, .4f, .5f, .6f} : new float[] {.07f};
    float[] expected = new float[codes.length];
    for (int i = 0; i < expected.length; i++) {
      expected[i] = bf16(Fp8E4M3.decode(codes[i]) * scales[byRow ? i / 40 : 0]);
    }
    TinyCheckpoint model =
        TinyCheckpoint.empty("BF16")
            .config(config("\"quant_method\": \"fp8\", \"activation_scheme\": \"static\""))
            .with(MODULE + "weight", "F8_E4M3", codes, 6, 40)
            .with(MODULE + "input_scale", "F32", f32(1), 1);
    model =
        byRow
            ? model.with(MODULE + "weight_scale", "F32", f32(scales), 6, 1)
            : model.with(MODULE + "weight_scale", "F32", f32(scales));
    assertThat(decompress(model)).containsExactly(expected);
  }

  @Test
  void modelOptNvfp4() throws Exception {
    int rows = 5;
    int cols = 48;
    byte[] packed = new byte[rows * cols / 2];
    random.nextBytes(packed);
    byte[] scales = e4m3(rows * 3);
    float whole = 0.0007f;
    float[] expected = new float[rows * cols];
    for (int i = 0; i < expected.length; i++) {
      int nibble = packed[i / 2] >> 4 * (i % 2) & 0xF;
      expected[i] = bf16(FP4[nibble] * (Fp8E4M3.decode(scales[i / 16]) * whole));
    }
    TinyCheckpoint model =
        TinyCheckpoint.empty("BF16")
            .config("{\"model_type\": \"llama\", \"torch_dtype\": \"bfloat16\"}")
            .with(MODULE + "weight", "U8", packed, rows, cols / 2)
            .with(MODULE + "weight_scale", "F8_E4M3", scales, rows, 3)
            .with(MODULE + "weight_scale_2", "F32", f32(whole))
            .with(MODULE + "input_scale", "F32", f32(1));
    TinyCheckpoint.writeText(
        temp.resolve("in"),
        "hf_quant_config.json",
        "{\"producer\": {\"name\": \"modelopt\"}, \"quantization\": {\"quant_algo\": \"NVFP4\"}}");
    assertThat(decompress(model)).containsExactly(expected);
    assertThat(temp.resolve("out/hf_quant_config.json")).doesNotExist();
  }

  private static final String EXPERTS = "model.layers.0.mlp.experts.";

  /** Two experts, 4 hidden blocks of 32 inputs, gate and up of 6 outputs each, interleaved. */
  private TinyCheckpoint gptOss(byte[] blocks, byte[] scales) {
    return TinyCheckpoint.empty("BF16")
        .config(
            "{\"model_type\": \"gpt_oss\", \"hidden_size\": 128, \"torch_dtype\": \"bfloat16\","
                + " \"quantization_config\": {\"quant_method\": \"mxfp4\"}}")
        .with(EXPERTS + "gate_up_proj_blocks", "U8", blocks, 2, 12, 4, 16)
        .with(EXPERTS + "gate_up_proj_scales", "U8", scales, 2, 12, 4)
        .random(EXPERTS + "gate_up_proj_bias", 2, 12)
        .random("model.layers.0.mlp.router.weight", 2, 128)
        .random("model.embed_tokens.weight", 10, 128);
  }

  private byte[] exponents(int count) {
    byte[] exponents = new byte[count];
    for (int i = 0; i < count; i++) {
      exponents[i] = (byte) random.nextInt(110, 130);
    }
    return exponents;
  }

  private static float mxfp4(byte[] blocks, byte[] scales, int row, int k) {
    int nibble = blocks[(row * 128 + k) / 2] >> 4 * (k % 2) & 0xF;
    return FP4[nibble] * Math.scalb(1f, (scales[row * 4 + k / 32] & 0xFF) - 127);
  }

  @Test
  void gptOssExpertsBecomeTheTransposedPlainTensor() throws Exception {
    byte[] blocks = new byte[2 * 12 * 64];
    random.nextBytes(blocks);
    byte[] scales = exponents(2 * 12 * 4);
    Path in = gptOss(blocks, scales).write(temp.resolve("in"));
    DecompressionReport report =
        Quern.decompress(DecompressionOptions.of(in, temp.resolve("out")), Progress.NONE);

    DecompressGoldenTest.assertEveryTensorHasOneFate(in, report.plan());
    float[] plain = matrix(temp.resolve("out"), EXPERTS + "gate_up_proj");
    for (int e = 0; e < 2; e++) {
      for (int k = 0; k < 128; k++) {
        for (int n = 0; n < 12; n++) {
          assertThat(plain[(e * 128 + k) * 12 + n]).isEqualTo(mxfp4(blocks, scales, e * 12 + n, k));
        }
      }
    }
  }

  @Test
  void gptOssExpertsAreCompressedOneByOne() throws Exception {
    byte[] blocks = new byte[2 * 12 * 64];
    random.nextBytes(blocks);
    byte[] scales = exponents(2 * 12 * 4);
    Path in = gptOss(blocks, scales).write(temp.resolve("in"));
    CompressionOptions options =
        CompressionOptions.of(in, temp.resolve("compressed"), "FP8_DYNAMIC");
    CompressionReport report = Quern.compress(options, Progress.NONE);

    assertThat(report.plan().quantizedTensors()).isEqualTo(4);
    ExpertPlanTest.assertLedger(in, report.plan());
    Path plain = temp.resolve("plain");
    Quern.decompress(DecompressionOptions.of(options.output(), plain), Progress.NONE);
    float[] bias = matrix(in, EXPERTS + "gate_up_proj_bias");
    for (int e = 0; e < 2; e++) {
      for (String part : new String[] {"gate", "up"}) {
        int odd = part.equals("up") ? 1 : 0;
        float[] weight = matrix(plain, EXPERTS + e + "." + part + "_proj.weight");
        float[] ownBias = matrix(plain, EXPERTS + e + "." + part + "_proj.bias");
        for (int n = 0; n < 6; n++) {
          assertThat(ownBias[n]).isEqualTo(bias[e * 12 + 2 * n + odd]);
          float largest = 0;
          for (int k = 0; k < 128; k++) {
            largest = Math.max(largest, Math.abs(mxfp4(blocks, scales, e * 12 + 2 * n + odd, k)));
          }
          for (int k = 0; k < 128; k++) {
            float original = mxfp4(blocks, scales, e * 12 + 2 * n + odd, k);
            assertThat(weight[n * 128 + k])
                .isCloseTo(
                    original,
                    org.assertj.core.api.Assertions.within(
                        Math.abs(original) * 0.08f + largest * 0.001f));
          }
        }
      }
    }
  }

  @Test
  void inconsistentOnesAreRefused() {
    TinyCheckpoint gptq =
        TinyCheckpoint.empty("BF16")
            .config(config("\"quant_method\": \"gptq\", \"bits\": 4"))
            .with(MODULE + "qweight", "I32", new byte[4 * 4 * 16], 4, 16)
            .with(MODULE + "scales", "F16", new byte[2 * 16], 1, 16);
    refuses(gptq, "module model.layers.0.mlp.up_proj: expected a tensor qzeros, found none");
    gptq.with(MODULE + "qzeros", "I32", new byte[4 * 3], 1, 3);
    refuses(gptq, "qzeros: expected shape [1, 2], found [1, 3]");
    gptq.with(MODULE + "scales", "F16", new byte[2 * 8], 1, 8);
    refuses(gptq, "scales: expected shape [1, 16], found [1, 8]");
    refuses(
        TinyCheckpoint.empty("BF16")
            .config(config("\"quant_method\": \"awq\", \"bits\": 4, \"version\": \"gemv\""))
            .random("model.norm.weight", 4),
        "expected AWQ of 4 bits, version gemm, found 4 bits, version gemv");
    TinyCheckpoint fp8 =
        TinyCheckpoint.empty("BF16")
            .config(config("\"quant_method\": \"fp8\""))
            .with(MODULE + "weight", "F8_E4M3", new byte[16], 4, 4);
    refuses(fp8, "expected a tensor weight_scale, found none");
    fp8.with(MODULE + "weight_scale_inv", "F32", f32(1, 1), 1, 2);
    refuses(fp8, "weight_scale_inv: expected shape [1, 1], found [1, 2]");
    fp8.with(MODULE + "weight_scale_inv", "F32", f32(Float.NaN), 1, 1);
    refuses(fp8, "weight [0, 0]: expected a finite scale, found NaN");
    refuses(
        TinyCheckpoint.empty("BF16")
            .config(config("\"quant_method\": \"modelopt\""))
            .random(MODULE + "pre_quant_scale", 4),
        "pre_quant_scale, by which inputs are multiplied");
    refuses(
        gptOss(new byte[2 * 12 * 64], new byte[2 * 12 * 4])
            .with(EXPERTS + "gate_up_proj_scales", "U8", new byte[24], 2, 12),
        "gate_up_proj_scales: expected shape [2, 12, 4], found [2, 12]");
  }

  private void refuses(TinyCheckpoint model, String message) {
    Path in = model.write(temp.resolve("in"));
    assertThatThrownBy(
            () -> Quern.decompress(DecompressionOptions.of(in, temp.resolve("out")), Progress.NONE))
        .isInstanceOf(QuernException.class)
        .hasMessageContaining(message);
    assertThat(temp.resolve("out")).doesNotExist();
  }
}
