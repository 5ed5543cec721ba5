package dev.quern.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Conversions: all elements of half precision. From binary32 every 61st of all, and in each case
 * all that lie at the middle between two results, or beside it; all 2^32 with {@code
 * -Dquern.exhaustive=true}.
 */
@Tag("twin")
@ParameterizedClass
@EnumSource
class ConvertTwinTest {
  @Parameter Twin twin;

  private static final int PIECE = 1 << 16;
  private static final int STRIDE = 61;

  @ParameterizedTest
  @CsvSource({"BF16,F32", "BF16,F16", "F16,F32", "F16,BF16", "BF16,BF16", "F16,F16"})
  void everyElementOfHalfPrecision(FloatType from, FloatType to) {
    try (Arena arena = Arena.ofConfined()) {
      Comparison comparison = new Comparison(twin, arena, from, to);
      for (int bits = 0; bits < 1 << 16; bits++) {
        comparison.add(bits);
      }
      assertThat(comparison.finish()).isEqualTo(1 << 16);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F16"})
  void f32AtEveryMidpoint(FloatType to) {
    try (Arena arena = Arena.ofConfined()) {
      Comparison comparison = new Comparison(twin, arena, FloatType.F32, to);
      for (int code = 0; code < to.infinityBits(); code++) {
        int lower = Float.floatToRawIntBits(to.decode(code));
        double next = code + 1 == to.infinityBits() ? nextAfterLargest(to) : to.decode(code + 1);
        int middle = Float.floatToRawIntBits((float) ((to.decode(code) + next) / 2));
        for (int sign : new int[] {0, 1 << 31}) {
          comparison.add(lower | sign);
          comparison.add((middle - 1) | sign);
          comparison.add(middle | sign);
          comparison.add((middle + 1) | sign);
        }
      }
      for (int special : Inputs.specialBits(FloatType.F32)) {
        comparison.add(special);
      }
      int specials = Inputs.specialBits(FloatType.F32).length;
      assertThat(comparison.finish()).isEqualTo(8L * to.infinityBits() + specials);
    }
  }

  /** What would follow if the exponents went on. */
  private static double nextAfterLargest(FloatType type) {
    int largest = type.infinityBits() - 1;
    return 2.0 * type.decode(largest) - type.decode(largest - 1);
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F16"})
  void f32Strided(FloatType to) {
    long visited = f32(to, 0, 1L << 32, STRIDE);
    assertThat(visited).isEqualTo(Math.ceilDiv(1L << 32, (long) STRIDE));
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F16"})
  @EnabledIfSystemProperty(named = "quern.exhaustive", matches = "true")
  void everyF32(FloatType to) {
    long visited =
        LongStream.of(0, 1L << 31)
            .parallel()
            .map(from -> f32(to, from, from + (1L << 31), 1))
            .sum();
    assertThat(visited).isEqualTo(1L << 32);
  }

  private long f32(FloatType to, long from, long end, int stride) {
    try (Arena arena = Arena.ofConfined()) {
      Comparison comparison = new Comparison(twin, arena, FloatType.F32, to);
      for (long bits = from; bits < end; bits += stride) {
        comparison.add((int) bits);
      }
      return comparison.finish();
    }
  }

  /** Collects elements and compares a piece when it is full. */
  private static final class Comparison {
    private final Kernels kernels;
    private final FloatType from;
    private final FloatType to;
    private final MemorySegment source;
    private final Guarded expected;
    private final Guarded found;
    private int collected;
    private long visited;

    Comparison(Twin twin, Arena arena, FloatType from, FloatType to) {
      this.kernels = twin.kernels();
      this.from = from;
      this.to = to;
      this.source = arena.allocate((long) PIECE * from.bytes(), 64);
      this.expected = new Guarded(arena, (long) PIECE * to.bytes());
      this.found = new Guarded(arena, (long) PIECE * to.bytes());
    }

    void add(int bits) {
      Inputs.putBits(from, source, (long) collected * from.bytes(), bits);
      if (++collected == PIECE) {
        compare();
      }
    }

    long finish() {
      // So that the last elements go through vectors too, and not through a tail.
      while (collected % 64 != 0) {
        Inputs.putBits(from, source, (long) collected++ * from.bytes(), 0);
        visited--;
      }
      compare();
      return visited;
    }

    private void compare() {
      long at = expected.offset();
      expected.poison();
      found.poison();
      Twin.LAW.convert(from, source, 0, collected, to, expected.memory(), at);
      kernels.convert(from, source, 0, collected, to, found.memory(), at);
      long bytes = (long) collected * to.bytes();
      found.checkEquals(at, expected, at, bytes, from + " to " + to);
      found.checkSurroundings(at, bytes, from + " to " + to);
      visited += collected;
      collected = 0;
    }
  }
}
