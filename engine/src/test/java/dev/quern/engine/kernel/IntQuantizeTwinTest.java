package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Quantization to integers and back against the definition. */
@Tag("twin")
@ParameterizedClass
@EnumSource
class IntQuantizeTwinTest {
  @Parameter Twin twin;

  private static final int PATTERNS = 1 << 16;

  /**
   * All bf16 patterns by scales with every significand: every pair of significands, which is what
   * the reciprocal's proof is about. The exponents are those of weights, the ends of the range that
   * has exact reciprocals, and those beside it.
   */
  @ParameterizedTest
  @ValueSource(ints = {-133, -127, -126, -125, -60, -9, -1, 0, 3, 125, 126, 127})
  void everyBf16PatternByEverySignificandOfAScale(int exponent) {
    int visited = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = patterns(arena, FloatType.BF16);
      Guarded expected = new Guarded(arena, PATTERNS);
      Guarded found = new Guarded(arena, PATTERNS);
      IntGroups groups = IntGroups.symmetric(8, PATTERNS, 1);
      for (int significand = 128; significand < 256; significand++) {
        float scale = FloatType.BF16.round(Math.scalb((float) significand, exponent - 7));
        groups.scales()[0] = scale;
        quantize(FloatType.BF16, source, 0, PATTERNS, groups, expected, found, 0);
        visited += PATTERNS;
      }
    }
    assertThat(visited).isEqualTo(128 << 16);
  }

  /** All patterns of both 16-bit types, all widths and zero points; every way of storing codes. */
  @ParameterizedTest
  @CsvSource({
    "BF16, 2", "BF16, 3", "BF16, 4", "BF16, 5", "BF16, 6", "BF16, 7", "BF16, 8", "F16, 2", "F16, 3",
    "F16, 4", "F16, 5", "F16, 6", "F16, 7", "F16, 8"
  })
  void everyPatternByEveryZeroPoint(FloatType type, int bits) {
    SplittableRandom random = new SplittableRandom(43);
    int calls = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = patterns(arena, type);
      Guarded expected = new Guarded(arena, PATTERNS);
      Guarded found = new Guarded(arena, PATTERNS);
      int step = bits == 8 ? 17 : 1;
      for (int zero = IntGroups.lowest(bits); zero <= IntGroups.highest(bits); zero += step) {
        IntGroups groups = IntGroups.asymmetric(bits, PATTERNS, 1);
        groups.scales()[0] = scale(type, random);
        groups.zeroPoints()[0] = zero;
        quantize(type, source, 0, PATTERNS, groups, expected, found, 0);
        quantizePacked(type, source, 0, PATTERNS, groups, expected, found, 0);
        calls++;
      }
      IntGroups groups = IntGroups.symmetric(bits, PATTERNS, 1);
      for (float scale : new float[] {0.01f, 1f, 3f, 0x1p-30f, 0f, Float.NaN, 1e38f}) {
        groups.scales()[0] = type.round(scale);
        quantize(type, source, 0, PATTERNS, groups, expected, found, 0);
        quantizePacked(type, source, 0, PATTERNS, groups, expected, found, 0);
        calls++;
      }
    }
    assertThat(calls).isEqualTo(7 + (bits == 8 ? 16 : 1 << bits));
  }

  /** Rows of every length with groups of all kinds, at aligned and odd places. */
  @ParameterizedTest
  @EnumSource
  void rowsWithGroups(FloatType type) {
    SplittableRandom random = new SplittableRandom(44);
    int[] groupSizes = {1, 8, 16, 24, 32, 64, 96, 128, 256, 1000};
    int[] lengths = {0, 1, 2, 7, 8, 31, 33, 64, 96, 127, 128, 200, 256, 300, 512, 777};
    int rows = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocate(4 * 777 + 128, 64);
      Guarded expected = new Guarded(arena, 4 * 777 + 128);
      Guarded found = new Guarded(arena, 4 * 777 + 128);
      for (int groupSize : groupSizes) {
        for (int n : lengths) {
          for (int bits = 2; bits <= 8; bits++) {
            for (int kind = 0; kind < 4; kind++) {
              int count = Math.ceilDiv(n, groupSize);
              IntGroups groups =
                  kind % 2 == 0
                      ? IntGroups.symmetric(bits, groupSize, count)
                      : IntGroups.asymmetric(bits, groupSize, count);
              fill(type, groups, random);
              if (kind < 2) {
                Inputs.weights(type, source, 0, 0.5f, random);
              } else {
                Inputs.anyBits(source, 0, random);
              }
              int from = random.nextInt(64);
              int to = random.nextInt(64);
              quantize(type, source, from, n, groups, expected, found, to);
              quantizePacked(type, source, from, n, groups, expected, found, to);
              Inputs.anyBits(source, 0, random);
              dequantize(type, source, from, n, groups, expected, found, to);
              rows++;
            }
          }
        }
      }
    }
    assertThat(rows).isEqualTo(groupSizes.length * lengths.length * 7 * 4);
  }

  /** All binary32 significands in steps, at every exponent that matters, by random scales. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void f32ByRandomScales(boolean symmetric) {
    SplittableRandom random = new SplittableRandom(45);
    int n = 4096;
    int rounds = 300;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocate(4L * n, 64);
      Guarded expected = new Guarded(arena, 4L * n);
      Guarded found = new Guarded(arena, 4L * n);
      for (int round = 0; round < rounds; round++) {
        int bits = random.nextInt(2, 9);
        IntGroups groups =
            symmetric ? IntGroups.symmetric(bits, 128, 32) : IntGroups.asymmetric(bits, 128, 32);
        fill(FloatType.F32, groups, random);
        for (int i = 0; i < n; i++) { // halves of steps, and what lies just beside them
          float scale = groups.scales()[i / 128];
          float tie = (random.nextInt(-300, 301) + 0.5f) * scale;
          int beside = random.nextInt(-1, 2);
          Inputs.putBits(FloatType.F32, source, 4L * i, Float.floatToRawIntBits(tie) + beside);
        }
        quantize(FloatType.F32, source, 0, n, groups, expected, found, 0);
        quantizePacked(FloatType.F32, source, 0, n, groups, expected, found, 0);
      }
    }
  }

  /** Every code by zero points and scales of every binade. */
  @ParameterizedTest
  @EnumSource
  void everyCodeComesBackAsTheLawSays(FloatType type) {
    SplittableRandom random = new SplittableRandom(46);
    int calls = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment codes = arena.allocate(256, 64);
      for (int i = 0; i < 256; i++) {
        codes.set(ValueLayout.JAVA_BYTE, i, (byte) i);
      }
      Guarded expected = new Guarded(arena, 1024);
      Guarded found = new Guarded(arena, 1024);
      for (int bits = 2; bits <= 8; bits++) {
        for (int round = 0; round < 2000; round++) {
          IntGroups groups = IntGroups.asymmetric(bits, 256, 1);
          fill(type, groups, random);
          if (round % 10 == 0) {
            groups.scales()[0] = type.decode(random.nextInt());
          }
          dequantize(type, codes, 0, 256, groups, expected, found, 0);
          calls++;
        }
      }
    }
    assertThat(calls).isEqualTo(7 * 2000);
  }

  private void quantize(
      FloatType type,
      MemorySegment source,
      long from,
      int n,
      IntGroups groups,
      Guarded expected,
      Guarded found,
      int to) {
    String call = "quantize " + describe(type, n, groups);
    long at = expected.offset() + to;
    expected.poison();
    found.poison();
    Twin.LAW.integers().quantize(type, source, from, n, groups, expected.memory(), at);
    twin.kernels().integers().quantize(type, source, from, n, groups, found.memory(), at);
    expected.checkSurroundings(at, n, "the law of " + call);
    found.checkSurroundings(at, n, call);
    found.checkEquals(at, expected, at, n, call);
  }

  private void quantizePacked(
      FloatType type,
      MemorySegment source,
      long from,
      int n,
      IntGroups groups,
      Guarded expected,
      Guarded found,
      int to) {
    String call = "quantizePacked " + describe(type, n, groups);
    long at = expected.offset() + to;
    long bytes = IntKernels.packedBytes(n, groups.bits());
    expected.poison();
    found.poison();
    Twin.LAW.integers().quantizePacked(type, source, from, n, groups, expected.memory(), at);
    twin.kernels().integers().quantizePacked(type, source, from, n, groups, found.memory(), at);
    expected.checkSurroundings(at, bytes, "the law of " + call);
    found.checkSurroundings(at, bytes, call);
    found.checkEquals(at, expected, at, bytes, call);
  }

  private void dequantize(
      FloatType type,
      MemorySegment codes,
      long from,
      int n,
      IntGroups groups,
      Guarded expected,
      Guarded found,
      int to) {
    String call = "dequantize " + describe(type, n, groups);
    long at = expected.offset() + to;
    long bytes = (long) n * type.bytes();
    for (boolean packed : new boolean[] {false, true}) {
      expected.poison();
      found.poison();
      IntKernels law = Twin.LAW.integers();
      IntKernels kernels = twin.kernels().integers();
      if (packed) {
        law.dequantizePacked(type, codes, from, n, groups, expected.memory(), at);
        kernels.dequantizePacked(type, codes, from, n, groups, found.memory(), at);
      } else {
        law.dequantize(type, codes, from, n, groups, expected.memory(), at);
        kernels.dequantize(type, codes, from, n, groups, found.memory(), at);
      }
      expected.checkSurroundings(at, bytes, "the law of " + call);
      found.checkSurroundings(at, bytes, call);
      found.checkEquals(at, expected, at, bytes, call);
    }
  }

  private static String describe(FloatType type, int n, IntGroups groups) {
    return type
        + ", "
        + n
        + " elements, "
        + groups.bits()
        + " bits, groups of "
        + groups.groupSize()
        + (groups.isSymmetric() ? "" : " with zero points");
  }

  private static void fill(FloatType type, IntGroups groups, SplittableRandom random) {
    for (int g = 0; g < groups.scales().length; g++) {
      groups.scales()[g] = scale(type, random);
    }
    for (int g = 0; g < groups.zeroPoints().length; g++) {
      groups.zeroPoints()[g] =
          random.nextInt(IntGroups.lowest(groups.bits()), IntGroups.highest(groups.bits()) + 1);
    }
  }

  private static float scale(FloatType type, SplittableRandom random) {
    return type.round((float) Math.scalb(1 + random.nextDouble(), random.nextInt(-12, 2)));
  }

  private static MemorySegment patterns(Arena arena, FloatType type) {
    MemorySegment source = arena.allocate(2 * PATTERNS, 64);
    for (int bits = 0; bits < PATTERNS; bits++) {
      Inputs.putBits(type, source, 2L * bits, bits);
    }
    return source;
  }
}
