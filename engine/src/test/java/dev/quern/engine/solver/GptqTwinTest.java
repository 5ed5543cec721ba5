package dev.quern.engine.solver;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.ScalarKernels;
import dev.quern.engine.linalg.FloatMatrix;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.parallel.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The same bits from the law and from what this machine runs, for any threads, block sizes, and
 * however much the compiler has done yet.
 */
@Tag("twin")
class GptqTwinTest {
  private static final int ROWS = 150; // more than a strip, and no multiple of a vector
  private static final int COLS = 256;

  @ParameterizedTest
  @EnumSource
  void everyWayGivesTheSameBits(Formats kind) throws Exception {
    for (GptqOptions options : options(kind)) {
      try (Arena arena = Arena.ofShared()) {
        SplittableRandom random = new SplittableRandom(kind.ordinal());
        FloatType type = FloatType.values()[kind.ordinal() % 3];
        MemorySegment weights = weights(arena, type, random);
        StoredFormat format = kind.of(type, ROWS, COLS, weights);
        Hessian hessian = hessian(arena, random);
        GptqResult law;
        try (Workers one = new Workers(1)) {
          law =
              new Gptq(new ScalarKernels(), one)
                  .solve(arena, format, weights, hessian, options, Progress.NONE);
        }
        assertThat(law.loss()).isFinite().isPositive();
        int[] blocks = {128, 1, 48, 1000};
        int[] threads = {1, 2, 7, 2};
        for (int i = 0; i < blocks.length; i++) {
          try (Workers workers = new Workers(threads[i])) {
            GptqOptions cut = options.withBlockSize(blocks[i]);
            GptqResult found =
                new Gptq(Kernels.best(), workers)
                    .solve(arena, format, weights, hessian, cut, Progress.NONE);
            String way = kind + ", " + cut + ", " + threads[i] + " threads";
            assertThat(found.codes().mismatch(law.codes())).as(way).isEqualTo(-1);
            assertThat(found.scales()).as(way).isEqualTo(law.scales());
            assertThat(found.zeroPoints()).as(way).isEqualTo(law.zeroPoints());
          }
        }
        checkPacked(arena, law);
      }
    }
  }

  private static GptqOptions[] options(Formats kind) {
    GptqOptions plain = GptqOptions.reference();
    return switch (kind) {
      case W4_GROUP_ASYM, NVFP4 ->
          new GptqOptions[] {
            plain.withOrder(ActivationOrder.GROUP),
            plain.withOrder(ActivationOrder.NONE).withScaleUpdate(true).withScaleRefit(1)
          };
      case W3_GROUP_32 ->
          new GptqOptions[] {plain.withOrder(ActivationOrder.NONE).withScaleSearch(true)};
      default -> new GptqOptions[] {plain};
    };
  }

  /** Packed codes, unpacked by the kernels that readers use, are the weights. */
  private static void checkPacked(Arena arena, GptqResult result) {
    Kernels kernels = Kernels.best();
    StoredFormat format = result.format();
    MemorySegment packed = arena.allocate(result.packedBytes(), 64);
    result.packRows(kernels, packed);
    MemorySegment scales = arena.allocate(result.scaleBytes(), 64);
    result.writeScales(scales);
    MemorySegment codes = arena.allocate(COLS, 64);
    long rowBytes = result.packedBytes() / ROWS;
    for (int row = 0; row < ROWS; row++) {
      if (format.element() == StoredFormat.Element.INTEGER) {
        kernels.integers().unpack(packed, row * rowBytes, COLS, format.bits(), codes, 0);
      } else if (format.element() == StoredFormat.Element.E4M3) {
        MemorySegment.copy(packed, row * rowBytes, codes, 0, COLS);
      } else {
        for (int i = 0; i < COLS; i++) {
          int pair = packed.get(ValueLayout.JAVA_BYTE, row * rowBytes + i / 2);
          codes.set(ValueLayout.JAVA_BYTE, i, (byte) (pair >> 4 * (i % 2) & 0xF));
        }
      }
      assertThat(
              MemorySegment.mismatch(
                  codes, 0, COLS, result.codes(), (long) row * COLS, (row + 1L) * COLS))
          .isEqualTo(-1);
    }
  }

  private static MemorySegment weights(Arena arena, FloatType type, SplittableRandom random) {
    MemorySegment weights = arena.allocate((long) ROWS * COLS * type.bytes(), 64);
    for (int i = 0; i < ROWS * COLS; i++) {
      float w = (float) (random.nextDouble(-1, 1) * random.nextDouble(0.1));
      type.store(weights, (long) i * type.bytes(), i / COLS == 3 ? 0 : w);
    }
    return weights;
  }

  /** Of inputs that go along with each other, with one that is never used. */
  private static Hessian hessian(Arena arena, SplittableRandom random) {
    int tokens = 300;
    float[][] x = new float[tokens][COLS];
    for (float[] token : x) {
      float common = (float) random.nextDouble(-1, 1);
      for (int i = 0; i < COLS; i++) {
        float size = i % 37 == 0 ? 5 : 1;
        token[i] = i == 11 ? 0 : size * (common + (float) random.nextDouble(-1, 1));
      }
    }
    FloatMatrix h = FloatMatrix.allocate(arena, COLS, COLS);
    for (int i = 0; i < COLS; i++) {
      for (int j = 0; j <= i; j++) {
        double sum = 0;
        for (float[] token : x) {
          sum += (double) token[i] * token[j];
        }
        h.set(i, j, (float) (2 * sum / tokens));
      }
    }
    return Hessian.ofLower(h);
  }
}
