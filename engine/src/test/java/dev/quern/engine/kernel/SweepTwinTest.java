package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Operations on columns against the definition, and the definition against that of matrices. */
@Tag("twin")
@ParameterizedClass
@EnumSource
class SweepTwinTest {
  private static final int ROUNDS = 400;
  private static final int MOST = 80;

  @Parameter Twin twin;

  private interface Quantize {
    void run(
        SweepKernels kernels,
        MemorySegment x,
        long at,
        int n,
        MemorySegment scales,
        MemorySegment zeros,
        MemorySegment codes,
        long codesAt,
        MemorySegment levels,
        long levelsAt);
  }

  private record Grid(String name, int bits, Quantize quantize) {
    @Override
    public String toString() {
      return name;
    }
  }

  static IntStream widths() {
    return IntStream.rangeClosed(2, 10);
  }

  /** 2 to 8 bits, then the small floats. */
  private static Grid grid(int width) {
    return switch (width) {
      case 9 ->
          new Grid(
              "E4M3",
              8,
              (k, x, at, n, s, z, c, ca, l, la) -> k.quantizeE4M3(x, at, n, s, 0, c, ca, l, la));
      case 10 ->
          new Grid(
              "E2M1",
              4,
              (k, x, at, n, s, z, c, ca, l, la) -> k.quantizeE2M1(x, at, n, s, 0, c, ca, l, la));
      default ->
          new Grid(
              width + " bits",
              width,
              (k, x, at, n, s, z, c, ca, l, la) ->
                  k.quantizeIntegers(width, x, at, n, s, 0, z, 0, c, ca, l, la));
    };
  }

  /** Ties, every kind of number, and all lengths around a vector's. */
  @ParameterizedTest
  @MethodSource("widths")
  void quantizesAsTheLaw(int width) {
    Grid grid = grid(width);
    SplittableRandom random = new SplittableRandom(50 + width);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment x = arena.allocate(4 * MOST, 64);
      MemorySegment scales = arena.allocate(4 * MOST, 64);
      MemorySegment zeros = arena.allocate(4 * MOST, 64);
      Guarded codes = new Guarded(arena, MOST);
      Guarded lawCodes = new Guarded(arena, MOST);
      Guarded levels = new Guarded(arena, 4 * MOST);
      Guarded lawLevels = new Guarded(arena, 4 * MOST);
      for (int round = 0; round < ROUNDS; round++) {
        fill(x, scales, zeros, grid.bits(), round, random);
        int skip = random.nextInt(3);
        int n = random.nextInt(MOST - skip);
        for (Guarded guarded : new Guarded[] {codes, lawCodes, levels, lawLevels}) {
          guarded.poison();
        }
        long codesAt = codes.offset();
        long levelsAt = levels.offset();
        run(grid, twin.kernels(), x, skip, n, scales, zeros, codes, levels);
        run(grid, Twin.LAW, x, skip, n, scales, zeros, lawCodes, lawLevels);
        codes.checkSurroundings(codesAt, n, grid.name());
        levels.checkSurroundings(levelsAt, 4L * n, grid.name());
        codes.checkEquals(codesAt, lawCodes, codesAt, n, grid + ", code");
        levels.checkEquals(levelsAt, lawLevels, levelsAt, 4L * n, grid + ", level");
      }
    }
  }

  private static void run(
      Grid grid,
      Kernels kernels,
      MemorySegment x,
      int skip,
      int n,
      MemorySegment scales,
      MemorySegment zeros,
      Guarded codes,
      Guarded levels) {
    grid.quantize()
        .run(
            kernels.sweep(),
            x,
            4L * skip,
            n,
            scales,
            zeros,
            codes.memory(),
            codes.offset(),
            levels.memory(),
            levels.offset());
  }

  /** A column with one scale is a run of one group. */
  @ParameterizedTest
  @MethodSource("widths")
  void quantizesAsTheKernelsOfMatrices(int width) {
    Grid grid = grid(width);
    SplittableRandom random = new SplittableRandom(70 + width);
    int n = 64;
    int compared = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment x = arena.allocate(4L * n, 64);
      MemorySegment scales = arena.allocate(4L * n, 64);
      MemorySegment zeros = arena.allocate(4L * n, 64);
      Guarded codes = new Guarded(arena, n);
      Guarded levels = new Guarded(arena, 4L * n);
      MemorySegment expected = arena.allocate(n, 64);
      for (int round = 0; round < ROUNDS; round++) {
        fill(x, scales, zeros, grid.bits(), 0, random);
        float scale = FloatType.F32.load(scales, 0);
        float zero = FloatType.F32.load(zeros, 0);
        for (int i = 0; i < n; i++) {
          FloatType.F32.store(scales, 4L * i, scale);
          FloatType.F32.store(zeros, 4L * i, zero);
        }
        run(grid, twin.kernels(), x, 0, n, scales, zeros, codes, levels);
        if (width == 9) {
          Twin.LAW.quantizeE4M3(FloatType.F32, x, 0, n, scale, expected, 0);
        } else if (width == 10) {
          float[] one = {scale};
          Twin.LAW.fp4().quantizeE2M1(FloatType.F32, x, 0, n, n, one, false, expected, 0);
        } else {
          IntGroups group = IntGroups.asymmetric(width, n, 1);
          group.scales()[0] = scale;
          group.zeroPoints()[0] = zero;
          Twin.LAW.integers().quantize(FloatType.F32, x, 0, n, group, expected, 0);
        }
        for (int i = 0; i < n; i++) {
          int code = codes.memory().get(ValueLayout.JAVA_BYTE, codes.offset() + i) & 0xFF;
          int wanted = expected.get(ValueLayout.JAVA_BYTE, width == 10 ? i / 2 : i) & 0xFF;
          assertThat(code).isEqualTo(width == 10 ? wanted >> 4 * (i % 2) & 0xF : wanted);
          compared++;
        }
      }
    }
    assertThat(compared).isEqualTo(ROUNDS * n);
  }

  @ParameterizedTest
  @EnumSource
  void dequantizesAsTheLaw(FloatType type) {
    SplittableRandom random = new SplittableRandom(91);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment scales = arena.allocate(4 * MOST, 64);
      Guarded found = new Guarded(arena, 4 * MOST);
      Guarded law = new Guarded(arena, 4 * MOST);
      for (int round = 0; round < 2000; round++) {
        int n = random.nextInt(MOST);
        long at = found.offset();
        found.poison();
        law.poison();
        for (int i = 0; i < n; i++) {
          float level = random.nextInt(-255, 256) * (random.nextBoolean() ? 1 : 0.5f);
          int bits = round % 8 == 0 ? random.nextInt() : Float.floatToRawIntBits(level);
          FloatType.F32.store(scales, 4L * i, scale(random, round % 3 == 0 ? 40 : 6));
          Inputs.putBits(FloatType.F32, found.memory(), at + 4L * i, bits);
          Inputs.putBits(FloatType.F32, law.memory(), at + 4L * i, bits);
        }
        twin.kernels().sweep().dequantize(type, found.memory(), at, n, scales, 0);
        Twin.LAW.sweep().dequantize(type, law.memory(), at, n, scales, 0);
        found.checkSurroundings(at, 4L * n, "dequantize " + type);
        found.checkEquals(at, law, at, 4L * n, "dequantize " + type);
      }
    }
  }

  /** Every number of columns and rows around a tile's, any depth. */
  @Test
  void addsErrorsAsTheLaw() {
    SplittableRandom random = new SplittableRandom(92);
    int calls = 0;
    try (Arena arena = Arena.ofConfined()) {
      int most = 11;
      long stride = 4L * (MOST + 3);
      MemorySegment errors = numbers(arena, most * stride, random);
      MemorySegment factors = numbers(arena, 4L * most * most, random);
      MemorySegment start = numbers(arena, most * stride, random);
      Guarded found = new Guarded(arena, most * stride);
      Guarded law = new Guarded(arena, most * stride);
      for (int round = 0; round < 3000; round++) {
        int n = random.nextInt(MOST);
        int columns = random.nextInt(most + 1);
        int depth = random.nextInt(most + 1);
        long skip = 4L * random.nextInt(3);
        for (Guarded guarded : new Guarded[] {found, law}) {
          guarded.poison();
          MemorySegment.copy(start, 0, guarded.memory(), guarded.offset(), most * stride);
        }
        update(twin.kernels(), errors, skip, stride, depth, factors, most, found, columns, n);
        update(Twin.LAW, errors, skip, stride, depth, factors, most, law, columns, n);
        found.checkSurroundings(found.offset(), most * stride, "update");
        found.checkEquals(found.offset(), law, law.offset(), most * stride, "update");
        calls++;
      }
    }
    assertThat(calls).isEqualTo(3000);
  }

  private static void update(
      Kernels kernels,
      MemorySegment errors,
      long skip,
      long stride,
      int depth,
      MemorySegment factors,
      int factorRow,
      Guarded target,
      int columns,
      int n) {
    SweepKernels sweep = kernels.sweep();
    MemorySegment w = target.memory();
    long at = target.offset();
    sweep.update(
        errors, skip, stride, depth, factors, 0, 4L * factorRow, w, at, stride, columns, n);
    sweep.addSquares(errors, 0, stride, depth, w, at + 4L * columns / 2, n);
    sweep.errors(errors, skip, errors, 0, n, 0.7f, w, at);
  }

  private static MemorySegment numbers(Arena arena, long bytes, SplittableRandom random) {
    MemorySegment memory = arena.allocate(bytes, 64);
    Inputs.weights(FloatType.F32, memory, 0, 3f, random);
    return memory;
  }

  /** Weights around ties of their scale, or, in some rounds, any bits and special values. */
  private static void fill(
      MemorySegment x,
      MemorySegment scales,
      MemorySegment zeros,
      int bits,
      int round,
      SplittableRandom random) {
    int[] special = Inputs.specialBits(FloatType.F32);
    for (int i = 0; i < x.byteSize() / 4; i++) {
      float scale = scale(random, 8);
      FloatType.F32.store(scales, 4L * i, scale);
      int zero = random.nextInt(IntGroups.lowest(bits), IntGroups.highest(bits) + 1);
      FloatType.F32.store(zeros, 4L * i, random.nextBoolean() ? zero : 0);
      float tie = random.nextInt(-40, 41) * 0.25f * scale;
      int nearby = Float.floatToRawIntBits(tie) + random.nextInt(-1, 2);
      int chosen =
          switch (round % 4) {
            case 0 -> nearby;
            case 1 -> random.nextInt();
            case 2 -> special[random.nextInt(special.length)];
            default -> Float.floatToRawIntBits((random.nextFloat() - 0.5f) * 400 * scale);
          };
      Inputs.putBits(FloatType.F32, x, 4L * i, chosen);
    }
  }

  private static float scale(SplittableRandom random, int binades) {
    return (float) Math.scalb(1 + random.nextDouble(), random.nextInt(-binades, binades / 2));
  }
}
