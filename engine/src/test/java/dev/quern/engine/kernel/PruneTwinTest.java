package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Groups and thresholds, by magnitude and by score. */
@Tag("twin")
@ParameterizedClass
@EnumSource
class PruneTwinTest {
  @Parameter Twin twin;

  private static final int[] GROUP_SIZES = {1, 2, 4, 8, 10, 5};
  private static final int[] LENGTHS = {0, 40, 80, 160, 240, 720, 800};
  private static final int MAX_LENGTH = 800;
  private static final int[] OFFSETS = {0, 2, 33};
  private static final int ROUNDS = 6;

  /**
   * Every way in which four numbers, or eight, can be ordered with ties: four of four values, all
   * 256, each at every place of a vector; for eight, three values, all 6561.
   */
  @ParameterizedTest
  @EnumSource
  void groupsWithEveryKindOfTie(FloatType type) {
    int visited = 0;
    try (Arena arena = Arena.ofConfined()) {
      visited += everyOrder(type, 4, 4, arena);
      visited += everyOrder(type, 8, 3, arena);
    }
    assertThat(visited).isEqualTo(256 + 6561);
  }

  private int everyOrder(FloatType type, int groupSize, int values, Arena arena) {
    int orders = (int) Math.pow(values, groupSize);
    int n = orders * groupSize;
    MemorySegment source = arena.allocate((long) n * type.bytes(), 64);
    MemorySegment scores = arena.allocate(4L * n, 64);
    for (int order = 0; order < orders; order++) {
      int rest = order;
      for (int i = order * groupSize; i < (order + 1) * groupSize; i++) {
        int value = rest % values;
        rest /= values;
        float weight = value * (i % 3 == 0 ? -0.5f : 0.5f);
        type.store(source, (long) i * type.bytes(), weight);
        FloatType.F32.store(scores, 4L * i, weight);
      }
    }
    Guarded expected = new Guarded(arena, 4L * n);
    Guarded found = new Guarded(arena, 4L * n);
    for (int prune = 0; prune <= groupSize; prune++) {
      groups(type, source, 0, scores, 0, n, prune, groupSize, expected, found, 0);
      exactCount(type, found, n, prune, groupSize);
    }
    return orders;
  }

  /** Pruned elements of each group: as many as asked for, and more only where zeros were kept. */
  private static void exactCount(FloatType type, Guarded result, int n, int prune, int groupSize) {
    for (int begin = 0; begin < n; begin += groupSize) {
      int zeros = 0;
      for (int i = begin; i < begin + groupSize; i++) {
        long at = result.offset() + (long) i * type.bytes();
        zeros += (type.loadBits(result.memory(), at) & type.signlessMask()) == 0 ? 1 : 0;
      }
      assertThat(zeros).isGreaterThanOrEqualTo(prune);
    }
  }

  /** Ordinary weights and any bits, NaN and infinities among them, at odd places. */
  @ParameterizedTest
  @EnumSource
  void equalsTheLaw(FloatType type) {
    SplittableRandom random = new SplittableRandom(77);
    int rows = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocate(4L * MAX_LENGTH + 64, 64);
      MemorySegment scores = arena.allocate(4L * MAX_LENGTH + 64, 64);
      Guarded expected = new Guarded(arena, 4L * MAX_LENGTH + 64);
      Guarded found = new Guarded(arena, 4L * MAX_LENGTH + 64);
      for (int round = 0; round < ROUNDS; round++) {
        if (round % 2 == 0) {
          Inputs.weights(type, source, 0, 3f, random);
          Inputs.weights(FloatType.F32, scores, 0, 3f, random);
        } else {
          Inputs.anyBits(source, 0, random);
          Inputs.anyBits(scores, 0, random);
        }
        for (int offset : OFFSETS) {
          for (int n : LENGTHS) {
            for (int groupSize : GROUP_SIZES) {
              int prune = random.nextInt(groupSize + 1);
              groups(
                  type, source, offset, scores, offset, n, prune, groupSize, expected, found,
                  offset);
              rows++;
            }
            int odd = Math.max(0, n - random.nextInt(30));
            thresholds(type, source, offset, scores, odd, expected, found, random);
            digits(type, source, offset, odd, random);
          }
        }
      }
    }
    assertThat(rows).isEqualTo(ROUNDS * OFFSETS.length * LENGTHS.length * GROUP_SIZES.length);
  }

  private void groups(
      FloatType type,
      MemorySegment source,
      long from,
      MemorySegment scores,
      long scoresFrom,
      int n,
      int prune,
      int groupSize,
      Guarded expected,
      Guarded found,
      long shift) {
    String call = "%d of %d of %d %s from %d".formatted(prune, groupSize, n, type, from);
    long bytes = (long) n * type.bytes();
    long at = found.offset() + shift;
    expected.poison();
    found.poison();
    Twin.LAW
        .pruning()
        .pruneGroupsByScore(
            type, source, from, scores, scoresFrom, n, prune, groupSize, expected.memory(), at);
    PruneKernels kernels = twin.kernels().pruning();
    kernels.pruneGroupsByScore(
        type, source, from, scores, scoresFrom, n, prune, groupSize, found.memory(), at);
    found.checkEquals(at, expected, at, bytes, "by score, " + call);
    found.checkSurroundings(at, bytes, "by score, " + call);
    expected.poison();
    found.poison();
    Twin.LAW.pruning().pruneGroups(type, source, from, n, prune, groupSize, expected.memory(), at);
    kernels.pruneGroups(type, source, from, n, prune, groupSize, found.memory(), at);
    found.checkEquals(at, expected, at, bytes, "by magnitude, " + call);
    found.checkSurroundings(at, bytes, "by magnitude, " + call);
  }

  private void thresholds(
      FloatType type,
      MemorySegment source,
      long from,
      MemorySegment scores,
      int n,
      Guarded expected,
      Guarded found,
      SplittableRandom random) {
    PruneKernels law = Twin.LAW.pruning();
    PruneKernels kernels = twin.kernels().pruning();
    long bytes = (long) n * type.bytes();
    long at = found.offset() + 1;
    int drawn = n == 0 ? 0 : random.nextInt(n);
    int magnitude = type.loadBits(source, from + (long) drawn * type.bytes()) & type.signlessMask();
    for (int threshold : new int[] {0, magnitude, magnitude + 1, type.signlessMask() + 1}) {
      String call = "%d %s from %d below 0x%X".formatted(n, type, from, threshold);
      expected.poison();
      found.poison();
      law.pruneBelow(type, source, from, n, threshold, expected.memory(), at);
      kernels.pruneBelow(type, source, from, n, threshold, found.memory(), at);
      found.checkEquals(at, expected, at, bytes, call);
      found.checkSurroundings(at, bytes, call);
      int present = threshold & type.signlessMask();
      assertThat(kernels.countEqual(type, source, from, n, present))
          .as("equal to 0x%X", present)
          .isEqualTo(law.countEqual(type, source, from, n, present));
    }
    int score = FloatType.F32.loadBits(scores, 4L * drawn) & 0x7FFF_FFFF;
    for (int threshold : new int[] {0, score, score + 1, Integer.MIN_VALUE}) {
      String call = "%d %s from %d, scores below 0x%X".formatted(n, type, from, threshold);
      expected.poison();
      found.poison();
      law.pruneBelowByScore(type, source, from, scores, 0, n, threshold, expected.memory(), at);
      kernels.pruneBelowByScore(type, source, from, scores, 0, n, threshold, found.memory(), at);
      found.checkEquals(at, expected, at, bytes, call);
      found.checkSurroundings(at, bytes, call);
    }
    float[] scales = new float[n];
    for (int i = 0; i < n; i++) {
      scales[i] =
          i % 7 == 0 ? 0f : (float) Math.scalb(random.nextDouble(), random.nextInt(60) - 30);
    }
    expected.poison();
    found.poison();
    law.scores(type, source, from, n, scales, expected.memory(), at);
    kernels.scores(type, source, from, n, scales, found.memory(), at);
    found.checkEquals(at, expected, at, 4L * n, "scores of " + type);
    found.checkSurroundings(at, 4L * n, "scores of " + type);
  }

  private void digits(
      FloatType type, MemorySegment source, long from, int n, SplittableRandom random) {
    int magnitudeBits = 8 * type.bytes() - 1;
    int digitBits = 1 + random.nextInt(11);
    int shift = random.nextInt(magnitudeBits - digitBits + 1);
    int drawn = n == 0 ? 0 : random.nextInt(n);
    int magnitude = type.loadBits(source, from + (long) drawn * type.bytes()) & type.signlessMask();
    int prefix = magnitude >>> shift >>> digitBits;
    int[] expected = new int[1 << digitBits];
    int[] found = new int[1 << digitBits];
    expected[0] = 5;
    found[0] = 5;
    Twin.LAW.pruning().countDigits(type, source, from, n, shift, digitBits, prefix, expected);
    twin.kernels().pruning().countDigits(type, source, from, n, shift, digitBits, prefix, found);
    assertThat(found).isEqualTo(expected);
  }

  /** The definition itself, by hand: two of four go, of equals the first. */
  @Test
  void ofEqualsTheLowerIndexIsPruned() {
    float[] row = {1f, -1f, 1f, 1f, 3f, -0f, 0f, 2f, -5f, 4f, 3f, 3f};
    float[] pruned = {0f, 0f, 1f, 1f, 3f, 0f, 0f, 2f, -5f, 4f, 0f, 0f};
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocateFrom(ValueLayout.JAVA_FLOAT, row);
      MemorySegment target = arena.allocate(source.byteSize());
      twin.kernels().pruning().pruneGroups(FloatType.F32, source, 0, 12, 2, 4, target, 0);
      assertThat(target.toArray(ValueLayout.JAVA_FLOAT)).isEqualTo(pruned);
    }
  }

  /** A sum in 16-bit lanes must not overflow: more equals than one lane can count. */
  @Test
  void countsMoreEqualsThanALaneHolds() {
    int n = 40_000 * 32 + 5;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment zeros = arena.allocate(2L * n, 64);
      assertThat(twin.kernels().pruning().countEqual(FloatType.BF16, zeros, 0, n, 0)).isEqualTo(n);
      FloatType.BF16.store(zeros, 2L * 777, 1f);
      assertThat(twin.kernels().pruning().countEqual(FloatType.BF16, zeros, 0, n, 0))
          .isEqualTo(n - 1);
    }
  }

  @Test
  void refusesARowWithoutWholeGroups() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment row = arena.allocate(64);
      assertThatThrownBy(
              () -> twin.kernels().pruning().pruneGroups(FloatType.F32, row, 0, 6, 2, 4, row, 0))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("6 elements, 2 of each 4 pruned: no whole groups");
    }
  }
}
