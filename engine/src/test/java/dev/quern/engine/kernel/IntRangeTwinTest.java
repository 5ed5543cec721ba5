package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Ranges of the groups of a row. */
@Tag("twin")
@ParameterizedClass
@EnumSource
class IntRangeTwinTest {
  @Parameter Twin twin;

  private static final int[] GROUP_SIZES = {1, 5, 16, 32, 48, 64, 96, 128, 160, 500, 10_000};
  private static final int[] LENGTHS = {0, 1, 31, 32, 96, 127, 128, 129, 256, 500, 640, 773};
  private static final int MAX_LENGTH = 773;
  private static final int[] OFFSETS = {0, 1, 2, 33, 64};

  /** Ordinary weights and any bits; beside the row lie NaN, which must not be seen. */
  @ParameterizedTest
  @EnumSource
  void equalsTheLaw(FloatType type) {
    SplittableRandom random = new SplittableRandom(42);
    int rows = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocate(4L * MAX_LENGTH + 256, 64);
      for (int round = 0; round < 4; round++) {
        for (int offset : OFFSETS) {
          for (int n : LENGTHS) {
            source.fill((byte) 0xFF);
            MemorySegment row = source.asSlice(128 + offset, (long) n * type.bytes());
            if (round % 2 == 0) {
              Inputs.weights(type, row, 0, 3f, random);
            } else {
              Inputs.anyBits(row, 0, random);
            }
            for (int groupSize : GROUP_SIZES) {
              check(type, source, 128 + offset, n, groupSize);
              rows++;
            }
          }
        }
      }
    }
    assertThat(rows).isEqualTo(4 * OFFSETS.length * LENGTHS.length * GROUP_SIZES.length);
  }

  /** The one element that counts, at every place. */
  @ParameterizedTest
  @EnumSource
  void findsEverySpecialValueAtEveryPlace(FloatType type) {
    int[] specials = Inputs.specialBits(type);
    int visited = 0;
    try (Arena arena = Arena.ofConfined()) {
      int n = 300;
      MemorySegment source = arena.allocate(4L * n, 64);
      for (int place = 0; place < n; place++) {
        for (int special : specials) {
          Inputs.putBits(type, source, (long) place * type.bytes(), special);
          check(type, source, 0, n, 128);
          visited++;
        }
        Inputs.putBits(type, source, (long) place * type.bytes(), 0);
      }
      assertThat(visited).isEqualTo(n * specials.length);
    }
  }

  private void check(FloatType type, MemorySegment source, long offset, int n, int groupSize) {
    int groups = Math.ceilDiv(n, groupSize);
    int[] maxBits = new int[groups + 1];
    int[] expectedMaxBits = new int[groups + 1];
    float[] min = new float[groups + 1];
    float[] max = new float[groups + 1];
    float[] expectedMin = new float[groups + 1];
    float[] expectedMax = new float[groups + 1];
    // Stale results, and one past the last group that must stay.
    Arrays.fill(maxBits, 0x7777);
    Arrays.fill(expectedMaxBits, 0x7777);
    Twin.LAW.integers().absMax(type, source, offset, n, groupSize, expectedMaxBits);
    Twin.LAW.integers().range(type, source, offset, n, groupSize, expectedMin, expectedMax);
    IntKernels kernels = twin.kernels().integers();
    kernels.absMax(type, source, offset, n, groupSize, maxBits);
    kernels.range(type, source, offset, n, groupSize, min, max);
    if (!Arrays.equals(maxBits, expectedMaxBits)
        || !sameBits(min, expectedMin)
        || !sameBits(max, expectedMax)) {
      fail("%s, %d elements from %d, groups of %d", type, n, offset, groupSize);
    }
  }

  private static boolean sameBits(float[] a, float[] b) {
    for (int i = 0; i < a.length; i++) {
      if (Float.floatToRawIntBits(a[i]) != Float.floatToRawIntBits(b[i])) {
        return false;
      }
    }
    return a.length == b.length;
  }

  /** The definition itself: a NaN of either sign shows, and zeros are told apart. */
  @Test
  void aNanIsSeenOnItsSide() {
    float[] min = new float[1];
    float[] max = new float[1];
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment row = arena.allocate(16);
      FloatType.F32.store(row, 0, -0f);
      FloatType.F32.store(row, 4, 0f);
      FloatType.F32.store(row, 8, -2.5f);
      Inputs.putBits(FloatType.F32, row, 12, 0xFFC0_0001);
      twin.kernels().integers().range(FloatType.F32, row, 0, 4, 4, min, max);
      assertThat(min[0]).isNaN();
      assertThat(Float.floatToRawIntBits(max[0])).isZero();
      Inputs.putBits(FloatType.F32, row, 12, 0x7FC0_0001);
      twin.kernels().integers().range(FloatType.F32, row, 0, 4, 4, min, max);
      assertThat(min[0]).isEqualTo(-2.5f);
      assertThat(max[0]).isNaN();
      twin.kernels().integers().range(FloatType.F32, row, 0, 2, 4, min, max);
      assertThat(Float.floatToRawIntBits(min[0])).isEqualTo(0x8000_0000);
      assertThat(Float.floatToRawIntBits(max[0])).isZero();
    }
  }
}
