package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.numeric.Fp8E4M3;
import dev.quern.testdata.TinyCheckpoint;
import org.junit.jupiter.api.Test;

/**
 * Checkpoints of NVIDIA ModelOpt. Each number is packed by the documented layout, element by
 * element.
 */
class ModelOptSourceTest extends ForeignSource {
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

  @Test
  void smoothedOnesAreRefused() {
    refuses(
        TinyCheckpoint.empty("BF16")
            .config(config("\"quant_method\": \"modelopt\""))
            .random(MODULE + "pre_quant_scale", 4),
        "pre_quant_scale, by which inputs are multiplied");
  }
}
