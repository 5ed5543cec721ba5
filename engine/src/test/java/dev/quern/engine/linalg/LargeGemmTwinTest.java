package dev.quern.engine.linalg;

import dev.quern.engine.annotation.SuppressForbidden;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Workers;
import java.lang.foreign.Arena;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Products so large that blocks, parts of the depth and packed operands are cut: elements at the
 * cuts, and others by chance, have the bits of the plain loop.
 */
@Tag("twin")
@SuppressForbidden(reason = "the law of matrix products is a chain of fused multiply-adds")
class LargeGemmTwinTest {
  private static final int SAMPLES = 2000;

  @ParameterizedTest(name = "[{0}, {2}] x [{2}, {1}] on {3} threads")
  @CsvSource({
    "300, 1100, 600, 1", // several blocks of columns
    "300, 1100, 600, 7",
    "40, 8800, 1040, 2", // more columns than are packed at once
    "8800, 40, 1040, 2", // more rows
    "2053, 2051, 67, 7", // many blocks both ways, no multiples of anything
  })
  void sampledElementsEqualTheLaw(int m, int n, int k, int threads) {
    SplittableRandom random = new SplittableRandom(m + 31L * n);
    float[][] a = TestMatrices.random(FloatType.F32, m, k, random);
    float[][] b = TestMatrices.random(FloatType.F32, n, k, random);
    try (Arena arena = Arena.ofShared();
        Workers workers = new Workers(threads);
        Workspace workspace = new Workspace(Kernels.best(), workers, 0)) {
      FloatMatrix c = FloatMatrix.allocate(arena, m, n);
      TestMatrices.fill(c, Float.NaN);
      Gemm.set(
          workspace,
          TestMatrices.operand(arena, FloatType.F32, a, k, 0),
          TestMatrices.operand(arena, FloatType.F32, b, k, 0).transposed(),
          c);
      int[] rows = edges(m, BlockSizes.ROWS, random);
      int[] columns = edges(n, BlockSizes.COLUMNS, random);
      for (int i = 0; i < SAMPLES; i++) {
        int row = rows[i % rows.length];
        int column = columns[random.nextInt(columns.length)];
        float law = 0;
        for (int j = 0; j < k; j++) {
          law = Math.fma(a[row][j], b[column][j], law);
        }
        TestMatrices.same("product", c, row, column, law);
      }
    }
  }

  /** First and last, those around multiples of a block and of the packed part, and others. */
  private static int[] edges(int size, int block, SplittableRandom random) {
    int[] indices = new int[64];
    int packed = (int) (BlockSizes.PACKED_FLOATS / BlockSizes.PACKED_DEPTH);
    for (int i = 0; i < indices.length; i++) {
      int at =
          switch (i % 4) {
            case 0 -> i < 4 ? 0 : size - 1;
            case 1 -> random.nextInt(1 + size / block) * block - random.nextInt(2);
            case 2 -> packed - 60 + random.nextInt(80);
            default -> random.nextInt(size);
          };
      indices[i] = at < 0 || at >= size ? random.nextInt(size) : at;
    }
    return indices;
  }
}
