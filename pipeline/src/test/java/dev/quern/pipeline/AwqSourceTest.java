package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.numeric.Fp16;
import dev.quern.testdata.TinyCheckpoint;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** Checkpoints of AutoAWQ. Each number is packed by the documented layout, element by element. */
class AwqSourceTest extends ForeignSource {
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

  @Test
  void otherVersionsAreRefused() {
    refuses(
        TinyCheckpoint.empty("BF16")
            .config(config("\"quant_method\": \"awq\", \"bits\": 4, \"version\": \"gemv\""))
            .random("model.norm.weight", 4),
        "expected AWQ of 4 bits, version gemm, found 4 bits, version gemv");
  }
}
