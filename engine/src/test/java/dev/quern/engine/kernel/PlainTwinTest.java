package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.numeric.Bf16;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The plain kernels against their law: every operation, and every bf16 pattern by every significand
 * of the scale.
 */
@Tag("twin")
class PlainTwinTest {
  private static final int MAX_LENGTH = 70;

  private final Kernels plain = new PlainKernels();

  static List<BulkOperation> operations() {
    return BulkOperation.all();
  }

  @ParameterizedTest
  @MethodSource("operations")
  void equalsTheLawAndWritesNothingElse(BulkOperation operation) {
    SplittableRandom random = new SplittableRandom(11);
    int calls = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocate(4 * MAX_LENGTH + 8, 64);
      Guarded expected = new Guarded(arena, 4 * MAX_LENGTH + 8);
      Guarded found = new Guarded(arena, 4 * MAX_LENGTH + 8);
      for (int offset = 0; offset < 3; offset++) {
        operation.input().fill(source, offset, random);
        long at = expected.offset() + offset;
        for (int n = 0; n <= MAX_LENGTH; n++) {
          long bytes = (long) n * operation.targetBytes();
          expected.poison();
          found.poison();
          operation.call().run(Providers.SCALAR, source, offset, n, expected.memory(), at);
          operation.call().run(plain, source, offset, n, found.memory(), at);
          found.checkSurroundings(at, bytes, operation + ", " + n);
          found.checkEquals(at, expected, at, bytes, operation + ", " + n);
          calls++;
        }
      }
    }
    assertThat(calls).isEqualTo(3 * (MAX_LENGTH + 1));
  }

  @ParameterizedTest
  @EnumSource
  void findsTheSameMaxima(FloatType type) {
    SplittableRandom random = new SplittableRandom(12);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocate(4 * MAX_LENGTH + 8, 64);
      for (int round = 0; round < 200; round++) {
        Inputs.anyBits(source, 0, random);
        int n = round % (MAX_LENGTH + 1);
        assertThat(plain.absMaxBits(type, source, round % 3, n))
            .isEqualTo(Providers.SCALAR.absMaxBits(type, source, round % 3, n));
      }
    }
  }

  @Test
  void quantizesEveryBf16ByEverySignificandOfTheScale() {
    long visited = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocate(2 << 16, 64);
      MemorySegment expected = arena.allocate(1 << 16, 64);
      MemorySegment found = arena.allocate(1 << 16, 64);
      for (int bits = 0; bits < 1 << 16; bits++) {
        FloatType.BF16.store(source, 2L * bits, Bf16.decode((short) bits));
      }
      for (int exponent : new int[] {-100, -60, -12, -1}) {
        for (int significand = 0; significand < 128; significand++) {
          float scale = Math.scalb(1 + significand / 128f, exponent);
          Providers.SCALAR.quantizeE4M3(FloatType.BF16, source, 0, 1 << 16, scale, expected, 0);
          plain.quantizeE4M3(FloatType.BF16, source, 0, 1 << 16, scale, found, 0);
          assertThat(expected.mismatch(found)).as("scale %s", scale).isEqualTo(-1);
          visited += 1 << 16;
        }
      }
    }
    assertThat(visited).isEqualTo(4L * 128 * 65536);
  }
}
