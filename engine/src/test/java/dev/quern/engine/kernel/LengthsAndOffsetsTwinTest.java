package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every kernel at every length up to six vectors of the widest kind, at aligned and odd addresses,
 * twice; often enough to be compiled.
 */
@Tag("twin")
@ParameterizedClass
@EnumSource
class LengthsAndOffsetsTwinTest {
  @Parameter Twin twin;

  private static final int MAX_LENGTH = 6 * 32;
  private static final int[] SOURCE_OFFSETS = {0, 1, 2, 7, 33, 64};
  private static final int[] TARGET_OFFSETS = {0, 1, 6, 31, 64};

  static List<BulkOperation> operations() {
    return BulkOperation.all();
  }

  @ParameterizedTest
  @MethodSource("operations")
  void equalsTheLawAndWritesNothingElse(BulkOperation operation) {
    Kernels kernels = twin.kernels();
    SplittableRandom random = new SplittableRandom(25);
    int calls = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocate(4 * MAX_LENGTH + 128, 64);
      Guarded expected = new Guarded(arena, 4 * MAX_LENGTH + 128);
      Guarded found = new Guarded(arena, 4 * MAX_LENGTH + 128);
      for (int sourceOffset : SOURCE_OFFSETS) {
        operation.input().fill(source, sourceOffset, random);
        for (int targetOffset : TARGET_OFFSETS) {
          long at = expected.offset() + targetOffset;
          for (int n = 0; n <= MAX_LENGTH; n++) {
            String call = operation + ", " + n + " elements from " + sourceOffset + " to " + at;
            long bytes = (long) n * operation.targetBytes();
            expected.poison();
            operation.call().run(Twin.LAW, source, sourceOffset, n, expected.memory(), at);
            expected.checkSurroundings(at, bytes, "the law of " + call);
            for (int pass = 1; pass <= 2; pass++) {
              found.poison();
              operation.call().run(kernels, source, sourceOffset, n, found.memory(), at);
              found.checkSurroundings(at, bytes, call);
              found.checkEquals(at, expected, at, bytes, call);
              calls++;
            }
          }
        }
      }
    }
    assertThat(calls)
        .isEqualTo(2 * (MAX_LENGTH + 1) * SOURCE_OFFSETS.length * TARGET_OFFSETS.length);
  }
}
