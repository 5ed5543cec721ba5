package dev.quern.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.quern.engine.kernel.ErrorSums;
import dev.quern.engine.kernel.KernelChoice;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WideErrorsTest {
  private static final int N = 1000;

  /** The signal-to-noise ratio does not depend on the unit of the weights. */
  @ParameterizedTest
  @ValueSource(ints = {-110, -70, -50, -40, 0, 40, 50, 70, 120})
  void anyMagnitude(int exponent) {
    assertThat(decibels(exponent)).isCloseTo(decibels(0), within(1e-3));
  }

  @Test
  void ordinaryRowsKeepTheSumsOfTheKernels() {
    ErrorSums sums = new ErrorSums();
    sums.count = 10;
    sums.absoluteOriginal = 0.1;
    assertThat(WideErrors.isNeeded(sums)).isFalse();
    sums.absoluteOriginal = 0;
    assertThat(WideErrors.isNeeded(sums)).isFalse();
    sums.absoluteOriginal = Double.POSITIVE_INFINITY;
    assertThat(WideErrors.isNeeded(sums)).isTrue();
  }

  private static double decibels(int exponent) {
    SplittableRandom random = new SplittableRandom(3);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment original = arena.allocate(4 * N);
      MemorySegment approximation = arena.allocate(4 * N);
      for (int i = 0; i < N; i++) {
        double x = random.nextGaussian();
        FloatType.F32.store(original, 4L * i, (float) Math.scalb(x, exponent));
        double near = x + random.nextGaussian() / 128;
        FloatType.F32.store(approximation, 4L * i, (float) Math.scalb(near, exponent));
      }
      ErrorSums sums = new ErrorSums();
      KernelChoice.withoutVectors()
          .addErrors(FloatType.F32, original, 0, approximation, 0, N, 0, sums);
      if (WideErrors.isNeeded(sums)) {
        WideErrors.replaceSums(FloatType.F32, original, 0, approximation, sums);
      }
      return ErrorStatistics.row(sums, 0).signalToNoiseDb();
    }
  }
}
