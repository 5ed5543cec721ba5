package dev.quern.engine.quantization;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.ScalarKernels;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp8E4M3;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * FP8 weights against the formulas written down naively: two loops over the matrix, floats, and one
 * rounding after each operation.
 */
@Tag("twin")
class E4M3WeightsTest {
  private static final List<Kernels> PROVIDERS = List.of(Kernels.best(), new ScalarKernels());

  @ParameterizedTest
  @EnumSource
  void equalsTheFormulas(FloatType type) {
    SplittableRandom random = new SplittableRandom(31);
    int matrices = 0;
    for (int round = 0; round < 24; round++) {
      int rows = random.nextInt(1, round % 2 == 0 ? 300 : 5);
      int cols = random.nextInt(1, round % 3 == 0 ? 300 : 40);
      for (ScaleGrid grid :
          List.of(
              ScaleGrid.tensor(rows, cols),
              ScaleGrid.channel(rows, cols),
              ScaleGrid.block(rows, cols, 128, 128),
              ScaleGrid.block(rows, cols, 1 + random.nextInt(9), 1 + random.nextInt(70)))) {
        for (Kernels kernels : PROVIDERS) {
          try (Arena arena = Arena.ofConfined()) {
            check(kernels, Matrix.structured(arena, type, rows, cols, random), grid, arena);
          }
          matrices++;
        }
      }
    }
    assertThat(matrices).isEqualTo(24 * 4 * 2);
  }

  private static void check(Kernels kernels, Matrix matrix, ScaleGrid grid, Arena arena) {
    FloatType type = matrix.type();
    int cols = grid.cols();
    float[][] scales = naiveScales(matrix, grid);
    Quantized quantized = Quantized.of(kernels, matrix, grid, arena);
    MemorySegment row = arena.allocate((long) cols * type.bytes() + 1);
    for (int r = 0; r < grid.rows(); r++) {
      E4M3Weights.dequantizeRow(kernels, type, quantized.codes(), quantized.scales(), grid, r, row);
      for (int c = 0; c < cols; c++) {
        float scale = scales[r / grid.blockRows()][c / grid.blockCols()];
        float x = matrix.values()[r * cols + c];
        // The zero point, +0, makes the zero of -0 positive.
        float quotient = Math.clamp(type.round(x / scale) + 0f, -448f, 448f);
        byte code = Fp8E4M3.encode(quotient);
        float back = type.round(Fp8E4M3.decode(code) * scale);
        byte foundCode = quantized.codes().get(ValueLayout.JAVA_BYTE, (long) r * cols + c);
        int foundBack = type.loadBits(row, (long) c * type.bytes());
        if (foundCode != code || foundBack != type.encode(back)) {
          fail(
              "%s, %s: [%d, %d] = %a by %a gives code 0x%02X and 0x%X, expected 0x%02X and 0x%X",
              type, grid, r, c, x, scale, foundCode, foundBack, code, type.encode(back));
        }
      }
    }
    for (int g = 0; g < grid.gridRows() * grid.gridCols(); g++) {
      float expected = scales[g / grid.gridCols()][g % grid.gridCols()];
      assertThat(type.load(quantized.scales(), (long) g * type.bytes())).isEqualTo(expected);
    }
  }

  private static float[][] naiveScales(Matrix matrix, ScaleGrid grid) {
    FloatType type = matrix.type();
    float[][] scales = new float[grid.gridRows()][grid.gridCols()];
    for (int r = 0; r < grid.rows(); r++) {
      for (int c = 0; c < grid.cols(); c++) {
        int i = r / grid.blockRows();
        int j = c / grid.blockCols();
        scales[i][j] = Math.max(scales[i][j], Math.abs(matrix.values()[r * grid.cols() + c]));
      }
    }
    for (float[] row : scales) {
      for (int j = 0; j < row.length; j++) {
        row[j] = type.round(row[j] / 448f);
        if (row[j] == 0) {
          row[j] = type.epsilon();
        }
      }
    }
    return scales;
  }

  @ParameterizedTest(name = "{0}: largest {1} gives scale {2}: {3}")
  @CsvSource({
    "BF16, 448, 0x1p0, 448 / 448",
    "BF16, 0x1p0, 0x1.24p-9, 1 / 448 = 0x1.249249p-9 to eight bits",
    "F16, 0x1p0, 0x1.248p-9, to eleven bits",
    "F32, 0x1p0, 0x1.24924Ap-9, to 24 bits",
    "BF16, 0, 0x1p-7, zero gives epsilon",
    "F16, 0, 0x1p-10, zero gives epsilon",
    "F32, 0, 0x1p-23, zero gives epsilon",
    "F16, 0x1p-24, 0x1p-10, rounds to zero and gives epsilon too",
    "F16, 0x1.2p-16, 0x1p-24, 0.64 steps round to the smallest number which stays",
    "BF16, 0x1p-133, 0x1p-7, rounds to zero",
    "F32, 0x1p-149, 0x1p-23, rounds to zero",
    "BF16, 0x1.FEp127, 0x1.24p119, the largest: 0x1.23B6DBp119 rounds up",
  })
  void scaleOfTheLargestMagnitude(FloatType type, String largest, String scale, String reason) {
    int bits = type.encode(Float.parseFloat(largest + (largest.contains("p") ? "" : "f")));
    assertThat(E4M3Weights.scale(type, bits)).as(reason).isEqualTo(Float.parseFloat(scale));
  }

  /** Strips of whole rows of blocks, which is how a large tensor goes through memory. */
  @ParameterizedTest
  @EnumSource
  void stripsGiveWhatTheWholeGives(FloatType type) {
    SplittableRandom random = new SplittableRandom(32);
    Kernels kernels = Kernels.best();
    for (int round = 0; round < 20; round++) {
      int rows = random.nextInt(1, 100);
      int cols = random.nextInt(1, 100);
      ScaleGrid grid =
          round % 2 == 0
              ? ScaleGrid.channel(rows, cols)
              : ScaleGrid.block(rows, cols, 1 + random.nextInt(8), 1 + random.nextInt(50));
      int stripRows = grid.blockRows() * (1 + random.nextInt(4));
      try (Arena arena = Arena.ofConfined()) {
        Matrix matrix = Matrix.structured(arena, type, rows, cols, random);
        Quantized whole = Quantized.of(kernels, matrix, grid, arena);
        MemorySegment codes = arena.allocate(whole.codes().byteSize());
        MemorySegment scales = arena.allocate(whole.scales().byteSize());
        for (int begin = 0; begin < rows; begin += stripRows) {
          int n = Math.min(stripRows, rows - begin);
          long element = (long) begin * cols;
          long scale = (long) begin / grid.blockRows() * grid.gridCols();
          E4M3Weights.quantize(
              kernels,
              type,
              matrix.bytes().asSlice(element * type.bytes()),
              grid.strip(n),
              codes.asSlice(element),
              scales.asSlice(scale * type.bytes()));
        }
        assertThat(codes.mismatch(whole.codes())).isEqualTo(-1);
        assertThat(scales.mismatch(whole.scales())).isEqualTo(-1);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"BF16, NaN", "F16, Infinity", "F32, -Infinity", "F32, NaN"})
  void aWeightThatIsNotFiniteIsFound(FloatType type, float value) {
    SplittableRandom random = new SplittableRandom(33);
    for (Kernels kernels : PROVIDERS) {
      for (int round = 0; round < 50; round++) {
        int rows = random.nextInt(1, 40);
        int cols = random.nextInt(1, 90);
        int row = random.nextInt(rows);
        int col = random.nextInt(cols);
        ScaleGrid grid = ScaleGrid.block(rows, cols, 1 + random.nextInt(9), 1 + random.nextInt(40));
        try (Arena arena = Arena.ofConfined()) {
          Matrix matrix = Matrix.structured(arena, type, rows, cols, random);
          type.store(matrix.bytes(), ((long) row * cols + col) * type.bytes(), value);
          assertThatThrownBy(() -> Quantized.of(kernels, matrix, grid, arena))
              .isInstanceOfSatisfying(
                  NonFiniteWeightException.class,
                  e -> {
                    assertThat(e.row()).isEqualTo(row);
                    assertThat(e.col()).isEqualTo(col);
                    assertThat(e.value()).isEqualTo(Float.valueOf(value));
                  })
              .hasMessage("weight [%d, %d] is %s", row, col, value);
        }
      }
    }
  }

  /** Of several it is the first in its block, and the block the first in its order. */
  @Test
  void theFirstOfSeveralIsReported() {
    try (Arena arena = Arena.ofConfined()) {
      float[] values = new float[4 * 6];
      values[3] = Float.NaN; // [0, 3], second block
      values[2 * 6 + 5] = Float.NaN; // second row of blocks
      values[6] = Float.POSITIVE_INFINITY; // [1, 0], first block
      values[7] = Float.NaN;
      Matrix matrix = Matrix.of(arena, FloatType.F32, 4, 6, values);
      ScaleGrid grid = ScaleGrid.block(4, 6, 2, 3);
      assertThatThrownBy(() -> Quantized.of(Kernels.best(), matrix, grid, arena))
          .hasMessage("weight [1, 0] is Infinity");
    }
  }
}
