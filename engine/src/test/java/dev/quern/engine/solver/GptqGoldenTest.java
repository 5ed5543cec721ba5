package dev.quern.engine.solver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Golden;
import dev.quern.engine.parallel.Workers;
import dev.quern.engine.quantization.Nvfp4Scales;
import dev.quern.engine.quantization.ScaleGrid;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Solves against the reference's, on one matrix with a dead column and an outlier. */
class GptqGoldenTest {
  private static final int ROWS = 96;
  private static final int COLS = 384;

  /** Codes may differ where roundings of the factor decide; the reference has LAPACK's. */
  private static final double EQUAL = 0.995;

  private static final double LOSS = 1e-3;

  private static Golden golden;

  @BeforeAll
  static void read() throws IOException {
    golden = Golden.read("golden/solvers.safetensors");
  }

  @ParameterizedTest
  @CsvSource({
    "W4A16, None, NONE",
    "W4A16, static, STATIC",
    "W4A16, group, GROUP",
    "W4A16_ASYM, None, NONE",
    "W8A8, static, STATIC",
    "FP8_BLOCK, None, NONE",
    "NVFP4A16, None, NONE",
    "NVFP4A16, static, STATIC",
    "MXFP4A16, None, NONE"
  })
  void solvesAsTheReference(String scheme, String actorder, ActivationOrder order)
      throws Exception {
    String name = "gptq." + scheme + "." + actorder + ".";
    try (Arena arena = Arena.ofShared();
        Workers workers = new Workers(2)) {
      MemorySegment w = RealLayers.nativeOf(arena, FloatType.F32, golden.floats("W"));
      Hessian h = RealLayers.hessian(arena, golden.floats("H"), COLS);
      StoredFormat format = format(scheme);
      GptqOptions options = GptqOptions.reference().withOrder(order);
      GptqResult found =
          new Gptq(Kernels.best(), workers).solve(arena, format, w, h, options, Progress.NONE);

      assertThat(found.rounded()).isFalse();
      assertThat(found.dampening()).isCloseTo(0.01f, within(1e-6f));
      assertThat(found.scales()).isEqualTo(golden.floats(name + "weight_scale"));
      if (scheme.equals("W4A16_ASYM")) {
        int[] zeros = golden.bits(name + "weight_zero_point", "I8");
        for (int i = 0; i < zeros.length; i++) {
          assertThat(found.zeroPoints()[i]).isEqualTo((byte) zeros[i]);
        }
      }
      if (order == ActivationOrder.GROUP) {
        assertThat(found.groupIndex()).contains(golden.bits(name + "weight_g_idx", "I32"));
      } else {
        assertThat(found.groupIndex()).isEmpty();
      }

      float[] expected = golden.floats(name + "weight");
      float[] row = new float[COLS];
      int equal = 0;
      for (int r = 0; r < ROWS; r++) {
        found.dequantizeRow(r, row);
        for (int c = 0; c < COLS; c++) {
          equal += row[c] == expected[r * COLS + c] ? 1 : 0;
        }
      }
      double share = (double) equal / (ROWS * COLS);
      double loss = golden.floats(name + "loss")[0];
      assertThat(share).as("equal weights").isGreaterThanOrEqualTo(EQUAL);
      assertThat(found.loss() / loss).isCloseTo(1, within(LOSS));
    }
  }

  private static StoredFormat format(String scheme) {
    FloatType type = FloatType.F32;
    return switch (scheme) {
      case "W4A16" -> StoredFormat.integer(type, 4, true, group(128));
      case "W4A16_ASYM" -> StoredFormat.integer(type, 4, false, group(128));
      case "W8A8" -> StoredFormat.integer(type, 8, true, ScaleGrid.channel(ROWS, COLS));
      case "FP8_BLOCK" -> StoredFormat.e4m3(type, ScaleGrid.block(ROWS, COLS, 128, 128));
      case "MXFP4A16" -> StoredFormat.mx(type, StoredFormat.Element.E2M1, ROWS, COLS);
      case "NVFP4A16" -> {
        float largest = 0;
        for (float x : golden.floats("W")) {
          largest = Math.max(largest, Math.abs(x));
        }
        float global = Nvfp4Scales.global(type, Float.floatToRawIntBits(largest));
        assertThat(global).isEqualTo(golden.floats("gptq.NVFP4A16.None.weight_global_scale")[0]);
        yield StoredFormat.nvfp4(type, ROWS, COLS, global);
      }
      default -> throw new IllegalArgumentException(scheme);
    };
  }

  private static ScaleGrid group(int size) {
    return ScaleGrid.block(ROWS, COLS, 1, size);
  }
}
