package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.quern.testdata.TinyCheckpoint;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Checkpoints of gpt-oss. Each number is packed by the documented layout, element by element. */
class GptOssSourceTest extends ForeignSource {
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
                .isCloseTo(original, within(Math.abs(original) * 0.08f + largest * 0.001f));
          }
        }
      }
    }
  }

  @Test
  void inconsistentOnesAreRefused() {
    refuses(
        gptOss(new byte[2 * 12 * 64], new byte[2 * 12 * 4])
            .with(EXPERTS + "gate_up_proj_scales", "U8", new byte[24], 2, 12),
        "gate_up_proj_scales: expected shape [2, 12, 4], found [2, 12]");
  }
}
