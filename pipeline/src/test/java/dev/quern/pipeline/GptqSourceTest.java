package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.numeric.Fp16;
import dev.quern.testdata.TinyCheckpoint;
import java.nio.ByteBuffer;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Checkpoints of AutoGPTQ and GPTQModel. Each number is packed by the documented layout, element by
 * element.
 */
class GptqSourceTest extends ForeignSource {
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
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "-4", "2147483648", "4294967300", "9223372036854775807", "5"})
  void widthsThatThereAreNot(String bits) {
    TinyCheckpoint model =
        TinyCheckpoint.empty("BF16")
            .config(config("\"quant_method\": \"gptq\", \"bits\": " + bits))
            .with(MODULE + "qweight", "I32", new byte[4 * 4 * 16], 4, 16)
            .with(MODULE + "qzeros", "I32", new byte[4 * 2], 1, 2)
            .with(MODULE + "scales", "F16", new byte[2 * 16], 1, 16);
    refuses(model, "bits: expected 2, 3, 4 or 8, found " + bits);
  }
}
