package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Masks of columns. */
@Tag("twin")
@ParameterizedClass
@EnumSource
class MaskTwinTest {
  @Parameter Twin twin;

  private static final int[] LENGTHS = {0, 1, 7, 8, 16, 31, 64, 100, 256};
  private static final int MAX_LENGTH = 256;
  private static final int MAX_COLUMNS = 16;
  private static final long STRIDE = 4L * MAX_LENGTH + 36;

  /** Few values, so that most scores tie; then weights, then any bits. */
  @Test
  void equalsTheLaw() {
    SplittableRandom random = new SplittableRandom(3);
    MaskKernels law = Twin.LAW.masks();
    MaskKernels kernels = twin.kernels().masks();
    int calls = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocate(STRIDE * MAX_COLUMNS, 64);
      Guarded expected = new Guarded(arena, STRIDE * MAX_COLUMNS);
      Guarded found = new Guarded(arena, STRIDE * MAX_COLUMNS);
      long to = found.offset() + 3;
      for (int round = 0; round < 9; round++) {
        switch (round % 3) {
          case 0 -> {
            for (long at = 0; at < source.byteSize(); at += 4) {
              FloatType.F32.store(source, at, random.nextInt(-2, 3));
            }
          }
          case 1 -> Inputs.weights(FloatType.F32, source, 0, 3f, random);
          default -> Inputs.anyBits(source, 0, random);
        }
        for (int n : LENGTHS) {
          for (int columns : new int[] {1, 4, 8, 5, MAX_COLUMNS}) {
            int prune = random.nextInt(columns + 1);
            String call = prune + " of " + columns + " columns of " + n;
            expected.poison();
            found.poison();
            law.smallest(source, 4, STRIDE, columns, n, prune, expected.memory(), to, 300);
            kernels.smallest(source, 4, STRIDE, columns, n, prune, found.memory(), to, 300);
            found.checkEquals(to, expected, to, 300L * columns, call);
            found.checkSurroundings(to, 300L * columns, call);
            calls++;
          }
          float pivot = (float) Math.scalb(1 + random.nextDouble(), random.nextInt(80) - 40);
          expected.poison();
          found.poison();
          law.scores(source, 4, n, pivot, expected.memory(), to);
          kernels.scores(source, 4, n, pivot, found.memory(), to);
          found.checkEquals(to, expected, to, 4L * n, "scores of " + n);
          found.checkSurroundings(to, 4L * n, "scores of " + n);
          int drawn = FloatType.F32.loadBits(source, 4L * random.nextInt(1, 60)) & 0x7FFF_FFFF;
          for (int threshold : new int[] {0, drawn, drawn + 1, Integer.MIN_VALUE}) {
            expected.poison();
            found.poison();
            law.below(source, 4, n, threshold, expected.memory(), to);
            kernels.below(source, 4, n, threshold, found.memory(), to);
            found.checkEquals(to, expected, to, n, "below, " + n);
            found.checkSurroundings(to, n, "below, " + n);
          }
          MemorySegment mask = arena.allocate(n + 1L);
          kernels.below(source, 4, n, drawn, mask, 1);
          expected.poison();
          found.poison();
          law.apply(source, 8, mask, 1, n, expected.memory(), to);
          kernels.apply(source, 8, mask, 1, n, found.memory(), to);
          found.checkEquals(to, expected, to, 4L * n, "apply, " + n);
          found.checkSurroundings(to, 4L * n, "apply, " + n);
        }
      }
    }
    assertThat(calls).isEqualTo(9 * LENGTHS.length * 5);
  }

  /** The definition itself, by hand: four columns of two rows. */
  @Test
  void ofEqualsTheEarlierColumnIsPruned() {
    float[] scores = {1, 3, 1, 2, 1, 2, 0, 1};
    byte[] mask = {0, -1, -1, 0, -1, -1, 0, 0};
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocateFrom(ValueLayout.JAVA_FLOAT, scores);
      MemorySegment target = arena.allocate(mask.length);
      twin.kernels().masks().smallest(source, 0, 8, 4, 2, 2, target, 0, 2);
      assertThat(target.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(mask);
    }
  }

  /** A weight of zero scores more than one that is pruned already. */
  @Test
  void noScoreIsZero() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment weights = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 0f, -0f, -6f, 1e-45f);
      MemorySegment scores = arena.allocate(16);
      twin.kernels().masks().scores(weights, 0, 4, 3f, scores, 0);
      assertThat(scores.toArray(ValueLayout.JAVA_FLOAT))
          .containsExactly(Float.MIN_VALUE, Float.MIN_VALUE, 2f, Float.MIN_VALUE);
    }
  }
}
