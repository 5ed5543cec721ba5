package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.numeric.FloatType;
import dev.quern.engine.numeric.Fp8E4M3;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Rows with groups: every provider against the definition. */
@Tag("twin")
@ParameterizedClass
@EnumSource
class Fp4TwinTest {
  private static final int PATTERNS = 1 << 16;

  @Parameter Twin twin;

  /** What a group may be divided by. */
  private enum Scales {
    /** Any positive number whose quotients matter. */
    ANY {
      @Override
      float next(SplittableRandom random) {
        return (float) Math.scalb(1 + random.nextDouble(), random.nextInt(-40, 10));
      }
    },
    /** E4M3 over a global scale with few bits: quotients that are ties, and next to ties. */
    SHORT {
      @Override
      float next(SplittableRandom random) {
        return Math.scalb(8f + random.nextInt(8), random.nextInt(-30, 5));
      }
    },
    /** Where the fast loops of bf16 end. */
    POWERS_OF_TWO {
      @Override
      float next(SplittableRandom random) {
        return Math.scalb(1f, random.nextInt(-20, 8));
      }
    },
    ALL_POWERS_OF_TWO {
      @Override
      float next(SplittableRandom random) {
        return Math.scalb(1f, random.nextInt(-127, 128));
      }
    };

    abstract float next(SplittableRandom random);

    float[] next(SplittableRandom random, int n) {
      float[] scales = new float[n];
      for (int i = 0; i < n; i++) {
        scales[i] = next(random);
      }
      return scales;
    }
  }

  /** Each 16-bit pattern meets 40 scales of each kind. */
  @ParameterizedTest
  @CsvSource({"BF16, 16", "BF16, 32", "F16, 16", "F16, 32"})
  void everyPattern(FloatType type, int groupSize) {
    SplittableRandom random = new SplittableRandom(4);
    try (Arena arena = Arena.ofConfined()) {
      Row row = new Row(arena, type, PATTERNS, groupSize);
      long visited = 0;
      for (int round = 0; round < 40; round++) {
        int factor = random.nextInt() | 1; // each pattern beside others in every round
        for (int i = 0; i < PATTERNS; i++) {
          Inputs.putBits(type, row.source, 2L * i, i * factor);
        }
        for (Scales kind : Scales.values()) {
          row.compare(kind.next(random, PATTERNS / groupSize), kind + ", round " + round);
          visited += PATTERNS;
        }
      }
      assertThat(visited).isEqualTo(160L * PATTERNS);
    }
  }

  /** Quotients around every tie, from both sides, by scales with long and short significands. */
  @ParameterizedTest
  @CsvSource({"BF16", "F16", "F32"})
  void aroundTies(FloatType type) {
    SplittableRandom random = new SplittableRandom(5);
    float[] ties = {0.25f, 0.75f, 1.25f, 1.75f, 2.5f, 3.5f, 5f, 6f, 448f, 464f, 0x1p-10f, 0x1p-25f};
    int n = 2048;
    try (Arena arena = Arena.ofConfined()) {
      Row row = new Row(arena, type, n, 16);
      for (int round = 0; round < 200; round++) {
        for (Scales kind : Scales.values()) {
          float[] scales = kind.next(random, n / 16);
          for (int i = 0; i < n; i++) {
            float product = scales[i / 16] * ties[random.nextInt(ties.length)];
            int bits = type.encode(random.nextBoolean() ? product : -product);
            Inputs.putBits(type, row.source, (long) i * type.bytes(), bits + random.nextInt(-2, 3));
          }
          row.compare(scales, kind + ", round " + round);
        }
      }
      assertThat(row.comparisons).isEqualTo(800);
    }
  }

  @ParameterizedTest
  @CsvSource({"BF16, 16", "BF16, 32", "F16, 16", "F16, 32", "F32, 16", "F32, 32"})
  void shortRowsOddAddressesAnyBits(FloatType type, int groupSize) {
    SplittableRandom random = new SplittableRandom(6);
    try (Arena arena = Arena.ofConfined()) {
      int calls = 0;
      for (int groups = 0; groups <= 9; groups++) {
        Row row = new Row(arena, type, groups * groupSize, groupSize);
        for (int offset : new int[] {0, 1, 2, 7, 33}) {
          row.shift(offset);
          Inputs.anyBits(row.source, 0, random);
          for (Scales kind : Scales.values()) {
            row.compare(kind.next(random, groups), kind + " at " + offset);
            calls++;
          }
        }
      }
      assertThat(calls).isEqualTo(10 * 5 * 4);
    }
  }

  @ParameterizedTest
  @CsvSource({"BF16, 2", "F16, 8", "F32, 128", "BF16, 64"})
  void otherGroupSizes(FloatType type, int groupSize) {
    SplittableRandom random = new SplittableRandom(7);
    try (Arena arena = Arena.ofConfined()) {
      Row row = new Row(arena, type, 5 * groupSize, groupSize);
      Inputs.weights(type, row.source, 0, 3f, random);
      for (Scales kind : Scales.values()) {
        row.compare(kind.next(random, 5), kind.toString());
      }
      assertThat(row.comparisons).isEqualTo(4);
    }
  }

  /**
   * Rows with scales of their own. Each bf16 pattern with each of 256 exponents as the largest of
   * its group is more than all pairs of a significand and a scale that there can be.
   */
  @ParameterizedTest
  @EnumSource
  void rowsWithScalesOfTheirOwn(FloatType type) {
    SplittableRandom random = new SplittableRandom(9);
    int n = 32 * 41;
    int taken = 0;
    try (Arena arena = Arena.ofConfined()) {
      MxRow row = new MxRow(arena, type, n);
      for (int round = 0; round < 1500; round++) {
        int exponent = random.nextInt(-20, 6) * (round % 10 == 0 ? 7 : 1);
        for (int i = 0; i < n; i++) {
          float magnitude = Math.scalb(1 + random.nextFloat(), exponent - random.nextInt(24));
          int bits = random.nextInt(50) == 0 ? 0 : type.encode(magnitude);
          int sign = random.nextInt() & type.signlessMask() + 1;
          Inputs.putBits(type, row.source, (long) i * type.bytes(), bits | sign);
        }
        if (round % 7 == 0) { // a group of zeros
          long zeros = 32L * random.nextInt(n / 32) * type.bytes();
          row.source.asSlice(zeros, 32L * type.bytes()).fill((byte) 0);
        }
        if (round % 11 == 0) { // any bits, NaN among them
          Inputs.anyBits(row.source, random.nextLong(n) * type.bytes(), random);
        }
        taken += row.compare("round " + round) ? 1 : 0;
      }
    }
    assertThat(taken).isBetween(1000, 1495);
  }

  /** All patterns of bf16 beside the largest magnitudes of each octave, in MXFP4 and MXFP8. */
  @Test
  void everyBf16PatternUnderEveryScale() {
    int n = 32 * 16;
    int taken = 0;
    int rows = 0;
    try (Arena arena = Arena.ofConfined()) {
      MxRow row = new MxRow(arena, FloatType.BF16, n);
      for (int largest = 1; largest < 256; largest++) {
        for (int below = 0; below < 24 && below < largest; below++) {
          // Both signs of the 128 fractions of an exponent, twice, and a maximum in each group.
          for (int i = 0; i < n; i++) {
            int pattern = largest - below << 7 | i & 0x7F | (i & 0x80) << 8;
            int maximum = largest << 7 | 0x5D + (i >> 7 & 3);
            Inputs.putBits(FloatType.BF16, row.source, 2L * i, i % 32 == 31 ? maximum : pattern);
          }
          taken += row.compare("exponents " + largest + " and " + (largest - below)) ? 1 : 0;
          rows++;
        }
      }
    }
    assertThat(rows).isGreaterThan(5800);
    assertThat(taken).isGreaterThan(5700);
  }

  @Test
  void searchesFindTheSameCodesAndErrors() {
    SplittableRandom random = new SplittableRandom(8);
    int n = 4096;
    int found = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment values = arena.allocate(4L * n + 64, 64);
      float[] scales = new float[128];
      float[] reciprocals = new float[128];
      for (int round = 0; round < 100; round++) {
        float global = (float) Math.scalb(1 + random.nextDouble(), random.nextInt(0, 12));
        for (int code = 0; code < 128; code++) {
          scales[code] = Fp8E4M3.decode((byte) code) / global;
          reciprocals[code] = 1 / scales[code];
        }
        Inputs.weights(FloatType.F32, values, 0, 40 / global, random);
        int[] starts = new int[n / 16];
        for (int g = 0; g < starts.length; g++) {
          starts[g] = random.nextInt(1, 112);
        }
        int[] lawCodes = starts.clone();
        int[] codes = starts.clone();
        float[] lawErrors = new float[n / 16];
        float[] errors = new float[n / 16];
        int offset = random.nextInt(64);
        float unit = Math.scalb(1f, random.nextInt(-3, 4));
        Twin.LAW
            .fp4()
            .searchNvfp4(
                values, offset, n, unit, scales, reciprocals, lawCodes, lawErrors, new float[16]);
        twin.kernels()
            .fp4()
            .searchNvfp4(
                values, offset, n, unit, scales, reciprocals, codes, errors, new float[16]);
        assertThat(codes).isEqualTo(lawCodes);
        assertThat(errors).isEqualTo(lawErrors);
        found += codes.length;
      }
    }
    assertThat(found).isEqualTo(100 * n / 16);
  }

  /** A row that is quantized to MXFP4 and MXFP8 by the law and by the twin. */
  private final class MxRow {
    final MemorySegment source;
    private final FloatType type;
    private final int n;
    private final Guarded expected;
    private final Guarded found;
    private final MemorySegment expectedScales;
    private final MemorySegment foundScales;
    private final int[] maxBits;
    private final float[] scales;

    MxRow(Arena arena, FloatType type, int n) {
      this.type = type;
      this.n = n;
      source = arena.allocate((long) n * type.bytes() + 64, 64);
      expected = new Guarded(arena, n + 64L);
      found = new Guarded(arena, n + 64L);
      expectedScales = arena.allocate(n / 32);
      foundScales = arena.allocate(n / 32);
      maxBits = new int[n / 32];
      scales = new float[n / 32];
    }

    /** Returns whether the row was finite. */
    boolean compare(String what) {
      int failed = -1;
      for (boolean mxfp8 : new boolean[] {false, true}) {
        String which = (mxfp8 ? "MXFP8, " : "MXFP4, ") + what;
        expected.poison();
        found.poison();
        failed = run(Twin.LAW.fp4(), mxfp8, expected, expectedScales);
        assertThat(run(twin.kernels().fp4(), mxfp8, found, foundScales))
            .as(which)
            .isEqualTo(failed);
        long bytes = mxfp8 ? n : n / 2;
        if (failed < 0) {
          assertThat(foundScales.mismatch(expectedScales)).as(which).isEqualTo(-1);
          found.checkEquals(found.offset(), expected, expected.offset(), bytes, which);
        }
        found.checkSurroundings(found.offset(), bytes, which);
      }
      return failed < 0;
    }

    private int run(Fp4Kernels kernels, boolean mxfp8, Guarded target, MemorySegment to) {
      MemorySegment codes = target.memory();
      long at = target.offset();
      return mxfp8
          ? kernels.quantizeMxfp8(type, source, 0, n, codes, at, to, 0, maxBits, scales)
          : kernels.quantizeMxfp4(type, source, 0, n, codes, at, to, 0, maxBits, scales);
    }
  }

  /** A row and room for what becomes of it, twice. */
  private final class Row {
    final MemorySegment source;
    final FloatType type;
    final int n;
    final int groupSize;
    final Guarded expected;
    final Guarded found;
    long offset;
    int comparisons;

    Row(Arena arena, FloatType type, int n, int groupSize) {
      this.type = type;
      this.n = n;
      this.groupSize = groupSize;
      source = arena.allocate((long) n * type.bytes() + 64, 64);
      expected = new Guarded(arena, 4L * n + 64);
      found = new Guarded(arena, 4L * n + 64);
    }

    void shift(int bytes) {
      offset = bytes;
    }

    void compare(float[] scales, String what) {
      Fp4Kernels law = Twin.LAW.fp4();
      Fp4Kernels kernels = twin.kernels().fp4();
      long to = expected.offset() + offset;
      int[] expectedMax = new int[n / groupSize];
      int[] foundMax = new int[n / groupSize];
      law.groupAbsMaxBits(type, source, offset, n, groupSize, expectedMax);
      kernels.groupAbsMaxBits(type, source, offset, n, groupSize, foundMax);
      assertThat(foundMax).isEqualTo(expectedMax);

      for (boolean round : new boolean[] {false, true}) {
        same(
            what + ", E2M1, rounded " + round,
            n / 2,
            (k, target) ->
                k.quantizeE2M1(
                    type, source, offset, n, groupSize, scales, round, target.memory(), to));
      }
      same(
          what + ", E4M3",
          n,
          (k, target) ->
              k.quantizeE4M3(type, source, offset, n, groupSize, scales, target.memory(), to));
      // The source's bytes are codes as good as any.
      same(
          what + ", from E2M1",
          (long) n * type.bytes(),
          (k, target) ->
              k.dequantizeE2M1(type, source, offset, n, groupSize, scales, target.memory(), to));
      same(
          what + ", from E4M3",
          (long) n * type.bytes(),
          (k, target) ->
              k.dequantizeE4M3(type, source, offset, n, groupSize, scales, target.memory(), to));
      comparisons++;
    }

    private void same(String what, long bytes, Operation operation) {
      long to = expected.offset() + offset;
      expected.poison();
      found.poison();
      operation.run(Twin.LAW.fp4(), expected);
      operation.run(twin.kernels().fp4(), found);
      found.checkEquals(to, expected, to, bytes, what);
      found.checkSurroundings(to, bytes, what);
    }
  }

  private interface Operation {
    void run(Fp4Kernels kernels, Guarded target);
  }
}
