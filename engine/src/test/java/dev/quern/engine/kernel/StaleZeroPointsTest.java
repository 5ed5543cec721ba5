package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Buffers of a search are the thread's own and serve the next one. An asymmetric search leaves zero
 * points in them, and a symmetric one whose scales are too small for vectors reads zero points from
 * the same place: they have to be 0 there.
 */
@Tag("twin")
class StaleZeroPointsTest {
  private static final FloatType TYPE = FloatType.BF16;
  private static final int N = 64;

  @ParameterizedTest
  @EnumSource
  void asymmetricThenSymmetricWithTinyScales(Twin twin) {
    for (int bits = 2; bits <= 8; bits++) {
      RangeSearch before = search(CandidateFormat.integer(bits, false));
      RangeSearch after = search(CandidateFormat.integer(bits, true));
      for (int exponent = -133; exponent <= -100; exponent++) {
        float size = Math.scalb(1f, exponent);
        float[] alone = range(Twin.LAW, after, size, 0);
        range(twin.kernels(), before, 1, 3); // all weights above 0: zero points of the lowest code
        assertThat(range(twin.kernels(), after, size, 0))
            .as("%d bits, 2^%d", bits, exponent)
            .isEqualTo(alone);
      }
    }
  }

  private static RangeSearch search(CandidateFormat format) {
    // Exponent 1: larger powers of errors this small are zero, and all steps alike.
    return RangeSearch.of(TYPE, format, 0.2, 100, 1, 1);
  }

  private static float[] range(Kernels kernels, RangeSearch search, float size, float shift) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment weights = arena.allocate(N * TYPE.bytes());
      for (int i = 0; i < N; i++) {
        TYPE.store(weights, (long) i * TYPE.bytes(), size * ((i * 37 % N - N / 2) / 16f + shift));
      }
      float[] min = new float[1];
      float[] max = new float[1];
      kernels.rangeSearch().search(search, search.steps(), weights, 0, 1, N, min, max, 0);
      return new float[] {min[0], max[0]};
    }
  }
}
