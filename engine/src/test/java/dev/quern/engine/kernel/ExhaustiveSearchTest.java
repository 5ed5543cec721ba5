package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The observer {@code exact}: which ranges it tries, and that no other observer beats it. */
class ExhaustiveSearchTest {
  private static final CandidateFormat INT4 = CandidateFormat.integer(4, true);

  @ParameterizedTest
  @EnumSource
  void triesTheRangesOfMinMaxAndMse(FloatType type) {
    RangeSearch search = RangeSearch.exhaustive(type, INT4);
    RangeSearch mse = RangeSearch.of(type, INT4, 0.2, 100, 2.4, 1);
    SplittableRandom random = new SplittableRandom(5);
    for (int trial = 0; trial < 200; trial++) {
      float largest = type.round((float) Math.scalb(1 + random.nextDouble(), -trial % 8));
      Set<Float> tried = new HashSet<>();
      for (int step = 0; step < search.steps(); step++) {
        tried.add(search.shrink(largest, step));
      }
      assertThat(tried).contains(largest);
      for (int step = 0; step < mse.steps(); step++) {
        assertThat(tried).contains(mse.shrink(largest, step));
      }
      assertThat(tried.stream().mapToDouble(f -> f / largest).max().getAsDouble())
          .isBetween(1.15, 1.35);
      assertThat(tried.stream().mapToDouble(f -> f / largest).min().getAsDouble())
          .isBetween(0.2, 0.26);
    }
  }

  @Test
  void noObserverIsBetter() {
    SplittableRandom random = new SplittableRandom(6);
    int better = 0;
    for (CandidateFormat format :
        new CandidateFormat[] {INT4, CandidateFormat.integer(8, true), CandidateFormat.E4M3}) {
      for (int trial = 0; trial < 30; trial++) {
        try (Arena arena = Arena.ofConfined()) {
          MemorySegment block = arena.allocate(256);
          for (int i = 0; i < 128; i++) {
            FloatType.BF16.store(block, 2L * i, (float) random.nextGaussian());
          }
          RangeSearch exact = RangeSearch.exhaustive(FloatType.BF16, format);
          double least = squares(exact, best(exact, exact.steps(), block), block);
          RangeSearch mse = RangeSearch.of(FloatType.BF16, format, 0.2, 100, 2.4, 1);
          double ofMse = squares(exact, best(mse, mse.steps(), block), block);
          double ofMinMax = squares(exact, best(mse, 0, block), block);
          assertThat(least).isLessThanOrEqualTo(ofMse).isLessThanOrEqualTo(ofMinMax);
          better += least < ofMse ? 1 : 0;
        }
      }
    }
    assertThat(better).isGreaterThan(45);
  }

  private static float[] best(RangeSearch search, int steps, MemorySegment block) {
    float[] min = new float[1];
    float[] max = new float[1];
    new ScalarRangeSearch().search(search, steps, block, 0, 1, 128, min, max, 0);
    return new float[] {min[0], max[0]};
  }

  private static double squares(RangeSearch exact, float[] range, MemorySegment block) {
    return ScalarRangeSearch.error(exact, range[0], range[1], block, 0, 128);
  }

  @Test
  void zerosKeepTheRangeOfZeros() {
    try (Arena arena = Arena.ofConfined()) {
      RangeSearch exact = RangeSearch.exhaustive(FloatType.BF16, INT4);
      assertThat(best(exact, exact.steps(), arena.allocate(256))).containsExactly(0, 0);
    }
  }

  /** With a zero point, the ends shrink apart: rarely is it best to shrink both by the same. */
  @Test
  void bothEndsOfAsymmetricRanges() {
    CandidateFormat format = CandidateFormat.integer(4, false);
    RangeSearch exact = RangeSearch.exhaustive(FloatType.BF16, format);
    RangeSearch mse = RangeSearch.of(FloatType.BF16, format, 0.2, 100, 2.4, 1);
    for (int step = 0; step < mse.steps(); step++) {
      assertThat(exact.low(-1, step)).isEqualTo(mse.low(-1, step));
      assertThat(exact.high(1, step)).isEqualTo(mse.high(1, step));
    }
    SplittableRandom random = new SplittableRandom(7);
    int better = 0;
    for (int trial = 0; trial < 30; trial++) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment block = gaussian(arena, random);
        double least = squares(exact, best(exact, exact.steps(), block), block);
        double ofMse = squares(exact, best(mse, mse.steps(), block), block);
        double ofMinMax = squares(exact, best(mse, 0, block), block);
        assertThat(least).isLessThanOrEqualTo(ofMse).isLessThanOrEqualTo(ofMinMax);
        better += least < ofMse ? 1 : 0;
      }
    }
    assertThat(better).isGreaterThan(14);
  }

  /** Four scales are enough: none of 40 powers of two is better than the best of them. */
  @Test
  void allPowersOfTwo() {
    SplittableRandom random = new SplittableRandom(8);
    int changed = 0;
    for (CandidateFormat format :
        new CandidateFormat[] {CandidateFormat.MXFP4, CandidateFormat.MXFP8}) {
      RangeSearch exact = RangeSearch.exhaustive(FloatType.BF16, format);
      assertThat(exact.steps()).isEqualTo(4);
      for (int trial = 0; trial < 200; trial++) {
        try (Arena arena = Arena.ofConfined()) {
          MemorySegment block = gaussian(arena, random);
          double least = squares(exact, best(exact, exact.steps(), block), block);
          for (int exponent = -20; exponent < 20; exponent++) {
            float range = Math.scalb(1f, exponent);
            assertThat(least)
                .isLessThanOrEqualTo(squares(exact, new float[] {-range, range}, block));
          }
          float[] observed = best(exact, 0, block);
          changed += least < squares(exact, observed, block) ? 1 : 0;
        }
      }
    }
    assertThat(changed).isPositive();
  }

  private static MemorySegment gaussian(Arena arena, SplittableRandom random) {
    MemorySegment block = arena.allocate(256);
    double tail = 1 + 2 * random.nextDouble();
    for (int i = 0; i < 128; i++) {
      double x = random.nextGaussian();
      FloatType.BF16.store(block, 2L * i, (float) (x * Math.pow(Math.abs(x), tail - 1)));
    }
    return block;
  }
}
