package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.numeric.Fp8E4M3;
import dev.quern.testdata.TinyCheckpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * FP8 checkpoints that are not of compressed-tensors. Each number is packed by the documented
 * layout, element by element.
 */
class Fp8SourceTest extends ForeignSource {
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
  void inconsistentOnesAreRefused() {
    TinyCheckpoint fp8 =
        TinyCheckpoint.empty("BF16")
            .config(config("\"quant_method\": \"fp8\""))
            .with(MODULE + "weight", "F8_E4M3", new byte[16], 4, 4);
    refuses(fp8, "expected a tensor weight_scale, found none");
    fp8.with(MODULE + "weight_scale_inv", "F32", f32(1, 1), 1, 2);
    refuses(fp8, "weight_scale_inv: expected shape [1, 1], found [1, 2]");
    fp8.with(MODULE + "weight_scale_inv", "F32", f32(Float.NaN), 1, 1);
    refuses(fp8, "weight [0, 0]: expected a finite scale, found NaN");
  }
}
