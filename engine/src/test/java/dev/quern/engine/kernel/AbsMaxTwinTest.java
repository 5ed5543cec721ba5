package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("twin")
@ParameterizedClass
@EnumSource
class AbsMaxTwinTest {
  @Parameter Twin twin;

  // Two rounds of four accumulators of the widest vectors, one vector more, and a tail.
  private static final int MAX_LENGTH = 2 * 4 * 32 + 32 + 31;
  private static final int[] OFFSETS = {0, 1, 2, 7, 33, 64};

  /** Beside the run lie NaN, which must not be seen. */
  @ParameterizedTest
  @EnumSource
  void equalsTheLawAtEveryLength(FloatType type) {
    Kernels kernels = twin.kernels();
    SplittableRandom random = new SplittableRandom(26);
    int calls = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocate(4L * MAX_LENGTH + 256, 64);
      for (int round = 0; round < 8; round++) {
        for (int offset : OFFSETS) {
          for (int n = 0; n <= MAX_LENGTH; n++) {
            source.fill((byte) 0xFF);
            MemorySegment run = source.asSlice(128 + offset, (long) n * type.bytes());
            if (round % 2 == 0) {
              Inputs.weights(type, run, 0, 3f, random);
            } else {
              Inputs.anyBits(run, 0, random);
            }
            int expected = Twin.LAW.absMaxBits(type, source, 128 + offset, n);
            check(kernels, type, source, 128 + offset, n, expected);
            calls += 2;
          }
        }
      }
    }
    assertThat(calls).isEqualTo(2 * 8 * OFFSETS.length * (MAX_LENGTH + 1)).isGreaterThan(20_000);
  }

  /** The one element that counts, at every place of every length. */
  @ParameterizedTest
  @EnumSource
  void findsEverySpecialValueAtEveryPlace(FloatType type) {
    Kernels kernels = twin.kernels();
    int[] specials = Inputs.specialBits(type);
    int visited = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocate(4L * MAX_LENGTH, 64);
      for (int n = 1; n <= MAX_LENGTH; n += n < 70 ? 1 : 61) {
        for (int place = 0; place < n; place++) {
          for (int special : specials) {
            Inputs.putBits(type, source, (long) place * type.bytes(), special);
            check(kernels, type, source, 0, n, special & type.signlessMask());
            visited++;
          }
          Inputs.putBits(type, source, (long) place * type.bytes(), 0);
        }
      }
    }
    int places = 70 * 71 / 2 + 131 + 192 + 253 + 314;
    assertThat(visited).isEqualTo(specials.length * places);
  }

  private static void check(
      Kernels kernels, FloatType type, MemorySegment source, long offset, int n, int expected) {
    for (int pass = 1; pass <= 2; pass++) {
      int found = kernels.absMaxBits(type, source, offset, n);
      if (found != expected) {
        fail("%s, %d elements from %d: 0x%X, expected 0x%X", type, n, offset, found, expected);
      }
    }
  }
}
