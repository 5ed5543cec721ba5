package dev.quern.engine.quantization;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import dev.quern.engine.kernel.KernelChoice;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.ScalarKernels;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Integer weights against the formulas written down naively: floats, one rounding after each
 * operation, bits picked one by one.
 */
@Tag("twin")
class IntWeightsTest {
  private static final List<Kernels> PROVIDERS =
      List.of(KernelChoice.current().kernels(), new ScalarKernels());

  private record Stored(MemorySegment codes, MemorySegment scales, MemorySegment zeroPoints) {
    static Stored of(Kernels kernels, IntWeights weights, Matrix matrix, Arena arena) {
      int rows = weights.grid().rows();
      Stored stored =
          new Stored(
              arena.allocate(weights.codeBytes(rows), 64),
              arena.allocate(weights.scaleBytes(rows), 64),
              arena.allocate(weights.zeroPointBytes(rows), 64));
      weights.quantize(
          kernels,
          weights.minMax(),
          matrix.bytes(),
          rows,
          stored.codes,
          stored.scales,
          stored.zeroPoints);
      return stored;
    }
  }

  @ParameterizedTest
  @EnumSource
  void equalsTheFormulas(FloatType type) {
    SplittableRandom random = new SplittableRandom(48);
    int matrices = 0;
    for (int round = 0; round < 24; round++) {
      int rows = random.nextInt(1, 70);
      int groupSize = 1 + random.nextInt(round % 2 == 0 ? 140 : 20);
      int cols = groupSize * random.nextInt(1, 5);
      for (ScaleGrid grid :
          List.of(
              ScaleGrid.channel(rows, cols),
              ScaleGrid.block(rows, cols, 1, groupSize),
              ScaleGrid.block(rows, cols, 128, 128),
              ScaleGrid.tensor(rows, cols))) {
        int bits = random.nextInt(2, 9);
        for (int kind = 0; kind < 4; kind++) {
          IntWeights weights = new IntWeights(type, grid, bits, kind % 2 == 0, kind < 2);
          for (Kernels kernels : PROVIDERS) {
            try (Arena arena = Arena.ofConfined()) {
              check(kernels, weights, Matrix.structured(arena, type, rows, cols, random), arena);
            }
            matrices++;
          }
        }
      }
    }
    assertThat(matrices).isEqualTo(24 * 4 * 4 * 2);
  }

  private static void check(Kernels kernels, IntWeights weights, Matrix matrix, Arena arena) {
    FloatType type = weights.type();
    ScaleGrid grid = weights.grid();
    int cols = grid.cols();
    int bits = weights.bits();
    int lowest = -(1 << (bits - 1));
    int highest = (1 << (bits - 1)) - 1;
    Stored stored = Stored.of(kernels, weights, matrix, arena);
    MemorySegment row = arena.allocate((long) cols * type.bytes());
    float[][][] ranges = ranges(grid, matrix);
    for (int r = 0; r < grid.rows(); r++) {
      weights.dequantizeRow(kernels, stored.codes, stored.scales, stored.zeroPoints, r, row);
      for (int c = 0; c < cols; c++) {
        int g = r / grid.blockRows();
        int h = c / grid.blockCols();
        float min = ranges[g][h][0];
        float max = ranges[g][h][1];
        float divisor = (1 << bits) - 1;
        float scale =
            weights.symmetric()
                ? type.round(Math.max(-min, max) / (divisor / 2))
                : type.round(type.round(max - min) / divisor);
        float exact = type.round(lowest - type.round(min / scale));
        float zero =
            weights.symmetric() || Float.isNaN(exact)
                ? 0
                : (float) Math.rint(Math.max(lowest, Math.min(highest, exact)));
        scale = scale == 0 ? type.epsilon() : scale;
        float x = matrix.values()[r * cols + c];
        float shifted = type.round(type.round(x / scale) + zero);
        int code = (int) Math.rint(Math.max(lowest, Math.min(highest, shifted)));
        int back = type.encode(type.round((code - zero) * scale));

        int foundCode = code(weights, stored.codes, r, c);
        int foundBack = type.loadBits(row, (long) c * type.bytes());
        float foundScale =
            type.load(stored.scales, ((long) g * grid.gridCols() + h) * type.bytes());
        int foundZero = zeroPoint(weights, stored.zeroPoints, g, h);
        if (foundCode != code || foundScale != scale || foundZero != zero || foundBack != back) {
          fail(
              "%s [%d, %d] = %a: code %d, scale %a, zero %d, back 0x%X; expected %d, %a, %s, 0x%X",
              weights,
              r,
              c,
              x,
              foundCode,
              foundScale,
              foundZero,
              foundBack,
              code,
              scale,
              zero,
              back);
        }
      }
    }
  }

  /** The smallest and the largest value of each block, zero included. */
  private static float[][][] ranges(ScaleGrid grid, Matrix matrix) {
    float[][][] ranges = new float[grid.gridRows()][grid.gridCols()][2];
    for (int i = 0; i < grid.rows(); i++) {
      for (int j = 0; j < grid.cols(); j++) {
        float[] range = ranges[i / grid.blockRows()][j / grid.blockCols()];
        range[0] = Math.min(range[0], matrix.values()[i * grid.cols() + j]);
        range[1] = Math.max(range[1], matrix.values()[i * grid.cols() + j]);
      }
    }
    return ranges;
  }

  private static int code(IntWeights weights, MemorySegment codes, int row, int col) {
    int cols = weights.grid().cols();
    if (!weights.packed()) {
      return codes.get(ValueLayout.JAVA_BYTE, (long) row * cols + col);
    }
    int bits = weights.bits();
    long words = (cols * bits + 31) / 32;
    return bits(codes, 32L * words * row + (long) col * bits, bits, 1) - (1 << (bits - 1));
  }

  private static int zeroPoint(IntWeights weights, MemorySegment zeroPoints, int row, int col) {
    int cols = weights.grid().gridCols();
    if (weights.symmetric()) {
      return 0;
    }
    if (!weights.packed()) {
      return zeroPoints.get(ValueLayout.JAVA_BYTE, (long) row * cols + col);
    }
    int bits = weights.bits();
    int value = 0;
    for (int k = 0; k < bits; k++) {
      long bit = (long) row * bits + k;
      value |= bits(zeroPoints, bit / 32 * 32 * cols + 32L * col + bit % 32, 1, 1) << k;
    }
    return value - (1 << (bits - 1));
  }

  /** Some bits of a stream, lowest first. */
  private static int bits(MemorySegment stream, long first, int count, int step) {
    int value = 0;
    for (int k = 0; k < count; k++) {
      long bit = first + (long) k * step;
      value |= (stream.get(ValueLayout.JAVA_BYTE, bit / 8) >>> (bit % 8) & 1) << k;
    }
    return value;
  }

  /** What the end of a row does not fill is zero, and so are the last words of zero points. */
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 6, 7, 8})
  void paddingIsZero(int bits) {
    SplittableRandom random = new SplittableRandom(49);
    for (int cols = 1; cols < 70; cols++) {
      ScaleGrid grid = ScaleGrid.channel(3, cols);
      IntWeights weights = new IntWeights(FloatType.BF16, grid, bits, false, true);
      try (Arena arena = Arena.ofConfined()) {
        Matrix matrix = Matrix.structured(arena, FloatType.BF16, 3, cols, random);
        for (Kernels kernels : PROVIDERS) {
          Stored stored = Stored.of(kernels, weights, matrix, arena);
          long rowBits = 8 * weights.codeBytes(1);
          for (int row = 0; row < 3; row++) {
            for (long bit = (long) cols * bits; bit < rowBits; bit++) {
              assertThat(bits(stored.codes, row * rowBits + bit, 1, 1)).isZero();
            }
          }
          for (long bit = 3L * bits; bit < 8 * stored.zeroPoints.byteSize(); bit++) {
            assertThat(bits(stored.zeroPoints, bit, 1, 1)).isZero();
          }
        }
      }
    }
  }

  /** Strips of whole rows of blocks, which is how a large tensor goes through memory. */
  @ParameterizedTest
  @EnumSource
  void stripsGiveWhatTheWholeGives(FloatType type) {
    SplittableRandom random = new SplittableRandom(50);
    for (int round = 0; round < 40; round++) {
      int rows = random.nextInt(1, 150);
      int cols = 8 * random.nextInt(1, 20);
      int bits = random.nextInt(2, 9);
      ScaleGrid grid = ScaleGrid.block(rows, cols, 1 + round % 3, 8);
      IntWeights weights = new IntWeights(type, grid, bits, round % 2 == 0, random.nextBoolean());
      int stripRows = weights.stripRows() * (1 + random.nextInt(2));
      Kernels kernels = PROVIDERS.get(0);
      try (Arena arena = Arena.ofConfined()) {
        Matrix matrix = Matrix.structured(arena, type, rows, cols, random);
        Stored whole = Stored.of(kernels, weights, matrix, arena);
        MemorySegment codes = arena.allocate(whole.codes.byteSize());
        MemorySegment scales = arena.allocate(whole.scales.byteSize());
        MemorySegment zeros = arena.allocate(whole.zeroPoints.byteSize());
        for (int begin = 0; begin < rows; begin += stripRows) {
          int n = Math.min(stripRows, rows - begin);
          weights.quantize(
              kernels,
              weights.minMax(),
              matrix.bytes().asSlice((long) begin * cols * type.bytes()),
              n,
              codes.asSlice(weights.codeBytes(begin), weights.codeBytes(n)),
              scales.asSlice(weights.scaleBytes(begin), weights.scaleBytes(n)),
              zeros.asSlice(weights.zeroPointBytes(begin), weights.zeroPointBytes(n)));
        }
        assertThat(codes.mismatch(whole.codes)).isEqualTo(-1);
        assertThat(scales.mismatch(whole.scales)).isEqualTo(-1);
        assertThat(zeros.mismatch(whole.zeroPoints)).isEqualTo(-1);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aWeightThatIsNotFiniteIsFound(boolean symmetric) {
    SplittableRandom random = new SplittableRandom(51);
    for (float bad : new float[] {Float.NaN, -Float.NaN, Float.POSITIVE_INFINITY}) {
      for (int round = 0; round < 30; round++) {
        int rows = random.nextInt(1, 40);
        int cols = 16 * random.nextInt(1, 12);
        int row = random.nextInt(rows);
        int col = random.nextInt(cols);
        IntWeights weights =
            new IntWeights(FloatType.BF16, ScaleGrid.block(rows, cols, 1, 16), 4, symmetric, true);
        try (Arena arena = Arena.ofConfined()) {
          Matrix matrix = Matrix.structured(arena, FloatType.BF16, rows, cols, random);
          FloatType.BF16.store(matrix.bytes(), 2L * ((long) row * cols + col), bad);
          for (Kernels kernels : PROVIDERS) {
            assertThatThrownBy(() -> Stored.of(kernels, weights, matrix, arena))
                .isInstanceOf(NonFiniteWeightException.class)
                .hasMessage("weight [%d, %d] is %s", row, col, bad);
          }
        }
      }
    }
  }

  /** The example of the reference: -8 to 1 in one column. */
  @Test
  void zeroPointsArePackedAlongRows() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment packed = arena.allocate(PackedZeroPoints.bytes(10, 1, 4));
      for (int row = 0; row < 10; row++) {
        PackedZeroPoints.putRow(packed, 4, row, new float[] {row - 8});
      }
      assertThat(packed.toArray(ValueLayout.JAVA_INT)).containsExactly(0x7654_3210, 0x0000_0098);
      float[] back = new float[1];
      PackedZeroPoints.getRow(packed, 4, 9, back);
      assertThat(back).containsExactly(1);
    }
  }
}
