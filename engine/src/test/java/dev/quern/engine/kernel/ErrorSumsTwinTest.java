package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("twin")
@ParameterizedClass
@EnumSource
class ErrorSumsTwinTest {
  @Parameter Twin twin;

  private static final int MAX_LENGTH = 5000;
  private static final float RELATIVE_BOUND = 0x1p-4f;
  private static final double U = 0x1p-24; // half a step of binary32 at 1

  private final SplittableRandom random = new SplittableRandom(29);

  static Stream<Arguments> inputs() {
    return Stream.of(FloatType.values())
        .flatMap(
            type ->
                Stream.of("weights", "any bits", "one NaN", "one infinity")
                    .map(what -> Arguments.of(type, what)));
  }

  @ParameterizedTest
  @MethodSource("inputs")
  void everySumEqualsTheLaws(FloatType type, String what) {
    Kernels kernels = twin.kernels();
    int calls = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment original = arena.allocate(4L * MAX_LENGTH + 64, 64);
      MemorySegment approximation = arena.allocate(4L * MAX_LENGTH + 64, 64);
      ErrorSums expected = new ErrorSums();
      ErrorSums found = new ErrorSums();
      ErrorSums again = new ErrorSums();
      for (int round = 0; round < 4_000; round++) {
        int n = round < 200 ? round : random.nextInt(round % 100 == 0 ? MAX_LENGTH : 300);
        long a = random.nextInt(64);
        long b = random.nextInt(64);
        long bytes = (long) type.bytes() * n;
        fill(type, what, original.asSlice(a, bytes), approximation.asSlice(b, bytes), n);
        if (round % 7 == 0) { // else the sums go on, as over the rows of a matrix
          expected.clear();
          found.clear();
          again.clear();
        }
        Twin.LAW.addErrors(type, original, a, approximation, b, n, RELATIVE_BOUND, expected);
        kernels.addErrors(type, original, a, approximation, b, n, RELATIVE_BOUND, found);
        kernels.addErrors(type, original, a, approximation, b, n, RELATIVE_BOUND, again);
        checkEqual(expected, found);
        checkEqual(expected, again);
        calls += 2;
      }
    }
    assertThat(calls).isEqualTo(8_000);
  }

  private void fill(
      FloatType type, String what, MemorySegment original, MemorySegment approximation, int n) {
    if (what.equals("any bits")) {
      Inputs.anyBits(original, 0, random);
      Inputs.anyBits(approximation, 0, random);
      return;
    }
    Inputs.weights(type, original, 0, 2f, random);
    Inputs.weights(type, approximation, 0, 2f, random);
    if (n > 0 && !what.equals("weights")) {
      float special = what.equals("one NaN") ? Float.NaN : Float.NEGATIVE_INFINITY;
      MemorySegment side = random.nextBoolean() ? original : approximation;
      type.store(side, (long) type.bytes() * random.nextInt(n), special);
    }
  }

  /** Bit for bit, except that all NaN are one. */
  private static void checkEqual(ErrorSums expected, ErrorSums found) {
    assertThat(found.count).isEqualTo(expected.count);
    checkEqual("squaredError", expected.squaredError, found.squaredError);
    checkEqual("squaredOriginal", expected.squaredOriginal, found.squaredOriginal);
    checkEqual("absoluteError", expected.absoluteError, found.absoluteError);
    checkEqual("absoluteOriginal", expected.absoluteOriginal, found.absoluteOriginal);
    checkEqual("maxError", expected.maxError, found.maxError);
    checkEqual("excess", expected.excess, found.excess);
  }

  private static void checkEqual(String field, double expected, double found) {
    assertThat(Double.doubleToLongBits(found))
        .as(field)
        .isEqualTo(Double.doubleToLongBits(expected));
  }

  /**
   * Against binary64. A lane adds at most {@code k = ceil(n / 16)} terms of one sign, so its sum is
   * off by at most {@code k - 1} roundings, each of relative size U, on top of those of the term:
   * one of the difference, which counts twice in a square, and one of the square. What squares lose
   * by underflow is at most half the smallest number each.
   */
  @Test
  void sumsAreWithinTheirBounds() {
    Kernels kernels = twin.kernels();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment original = arena.allocate(4L * MAX_LENGTH, 64);
      MemorySegment approximation = arena.allocate(4L * MAX_LENGTH, 64);
      for (int round = 0; round < 300; round++) {
        int n = random.nextInt(1, MAX_LENGTH);
        Inputs.weights(FloatType.F32, original, 0, 2f, random);
        Inputs.weights(FloatType.F32, approximation, 0, 2f, random);
        ErrorSums sums = new ErrorSums();
        kernels.addErrors(FloatType.F32, original, 0, approximation, 0, n, RELATIVE_BOUND, sums);

        double squaredError = 0;
        double squaredOriginal = 0;
        double absoluteError = 0;
        double absoluteOriginal = 0;
        double maxError = 0;
        double excess = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < n; i++) {
          double x = FloatType.F32.load(original, 4L * i);
          double e = FloatType.F32.load(approximation, 4L * i) - x;
          squaredError += e * e;
          squaredOriginal += x * x;
          absoluteError += Math.abs(e);
          absoluteOriginal += Math.abs(x);
          maxError = Math.max(maxError, Math.abs(e));
          excess = Math.max(excess, Math.abs(e) - RELATIVE_BOUND * Math.abs(x));
        }
        double k = Math.ceilDiv(n, ScalarKernels.ERROR_LANES);
        double slack = 1 + 1e-6; // products of roundings, and the roundings of this sum
        double lost = n * 0x1p-150;
        assertThat(sums.count).isEqualTo(n);
        assertThat(sums.squaredError)
            .isCloseTo(squaredError, within((k + 2) * U * slack * squaredError + lost));
        assertThat(sums.squaredOriginal)
            .isCloseTo(squaredOriginal, within(k * U * slack * squaredOriginal + lost));
        assertThat(sums.absoluteError)
            .isCloseTo(absoluteError, within(k * U * slack * absoluteError));
        assertThat(sums.absoluteOriginal)
            .isCloseTo(absoluteOriginal, within((k - 1) * U * slack * absoluteOriginal + 1e-12));
        assertThat((double) sums.maxError).isCloseTo(maxError, within(U * slack * maxError));
        // The bound is a power of two, so its product is exact, and two roundings are left.
        assertThat((double) sums.excess).isCloseTo(excess, within(2 * U * slack * maxError));
      }
    }
  }
}
