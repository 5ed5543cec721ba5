package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.quern.engine.kernel.KernelChoice;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.quantization.IntWeights;
import dev.quern.engine.quantization.ScaleGrid;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is decompressed lies within the bound that the codec states: every element of each row. */
@Tag("twin")
class IntCodecTest {
  private static final int ROWS = 33;

  /** One group a row, so that the bound is that of the element's own scale. */
  @ParameterizedTest
  @EnumSource
  void everyElementIsWithinTheBound(FloatType type) {
    Kernels kernels = KernelChoice.current().kernels();
    SplittableRandom random = new SplittableRandom(52);
    long elements = 0;
    double closest = 0;
    for (int round = 0; round < 400; round++) {
      int bits = 2 + round % 7;
      boolean symmetric = round % 2 == 0;
      int cols = random.nextInt(1, 100);
      IntWeights weights =
          new IntWeights(type, ScaleGrid.channel(ROWS, cols), bits, symmetric, round % 3 == 0);
      IntCodec codec = new IntCodec(weights, WeightObserver.minMax());
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment source = matrix(type, cols, random, arena);
        List<MemorySegment> parameters = new ArrayList<>();
        for (int p = 0; p < codec.parameters().size(); p++) {
          parameters.add(arena.allocate(codec.bytes(p, ROWS), 64));
        }
        codec.compress(kernels, source, ROWS, parameters);
        assertThat(codec.contradiction(parameters)).isEmpty();
        MemorySegment back = arena.allocate((long) cols * type.bytes(), 64);
        for (int row = 0; row < ROWS; row++) {
          codec.decompressRow(kernels, parameters, ROWS, row, back);
          long offset = (long) row * cols * type.bytes();
          float absMax = type.decode(kernels.absMaxBits(type, source, offset, cols));
          double absolute = codec.absoluteBound(parameters, ROWS, row, absMax);
          for (int col = 0; col < cols; col++) {
            double x = type.load(source, offset + (long) col * type.bytes());
            double error = Math.abs(type.load(back, (long) col * type.bytes()) - x);
            double bound = codec.relativeBound() * Math.abs(x) + absolute;
            if (!(error <= bound)) {
              fail("%s: %a is off by %a, beyond %a", weights, x, error, bound);
            }
            closest = Math.max(closest, error / bound);
            elements++;
          }
        }
      }
    }
    assertThat(elements).isGreaterThan(400_000);
    // A bound that nothing comes near would find nothing.
    assertThat(closest).isGreaterThan(0.9);
  }

  /**
   * Rows of every binade of the type, its subnormals among them; not the uppermost ones, because
   * the outermost code may stand for more than the largest weight, and then for infinity.
   */
  private static MemorySegment matrix(
      FloatType type, int cols, SplittableRandom random, Arena arena) {
    MemorySegment source = arena.allocate((long) ROWS * cols * type.bytes(), 64);
    for (int row = 0; row < ROWS; row++) {
      float size = type.decode(random.nextInt(type.infinityBits()));
      float shift = random.nextInt(4) == 0 ? 0.5f : 0;
      for (int col = 0; col < cols; col++) {
        float value = (float) (random.nextDouble() * 2 - 1 + shift) / (1 + shift);
        type.store(source, ((long) row * cols + col) * type.bytes(), value * size / 4);
      }
    }
    return source;
  }
}
