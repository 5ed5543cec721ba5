package dev.quern.engine.kernel.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.quern.engine.kernel.Guarded;
import dev.quern.engine.kernel.Inputs;
import dev.quern.engine.kernel.Kernels;
import dev.quern.engine.kernel.Twin;
import dev.quern.engine.numeric.FloatType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Quantization to E4M3 against its law, for all significands.
 *
 * <p>For half-precision types the elements are all 65,536 bit patterns and the scales all
 * significands at some exponents. This is the proof that {@link E4M3QuantizeBf16} may multiply by a
 * reciprocal. With {@code -Dquern.exhaustive=true} it is all elements by all positive scales.
 */
@Tag("twin")
@ParameterizedClass
@EnumSource
class E4M3QuantizeTwinTest {
  @Parameter Twin twin;

  /** The region of the reciprocal is 2^-100 to 1; -127 stands for the subnormal scales. */
  private static final int[] BF16_EXPONENTS = {
    -127, -126, -101, -100, -99, -64, -33, -17, -14, -10, -9, -8, -7, -6, -3, -2, -1, 0, 1, 5, 64,
    127
  };

  /** -15 stands for the subnormal scales. */
  private static final int[] F16_EXPONENTS = {-15, -14, -7, 0};

  @Test
  void everyBf16ByEverySignificandOfTheScale() {
    Visited all = visit(FloatType.BF16, 7, Arrays.stream(BF16_EXPONENTS).map(e -> e + 127));
    assertThat(all.elements).isEqualTo(65_536L * (128 * BF16_EXPONENTS.length - 1));
    if (twin == Twin.VECTOR) {
      // 14 exponents from -100 to -1 with all their significands, and 1.
      assertThat(all.reciprocalScales).isEqualTo(128 * 14 + 1);
      // About 2 * 17,385 elements for a scale of 1, and 2 * 128 less for each binade below it.
      assertThat(all.reciprocalElements).isEqualTo(50_366_630);
    }
  }

  @Test
  void everyF16ByEverySignificandOfTheScale() {
    Visited all = visit(FloatType.F16, 10, Arrays.stream(F16_EXPONENTS).map(e -> e + 15));
    assertThat(all.elements).isEqualTo(65_536L * (1024 * F16_EXPONENTS.length - 1));
  }

  @Test
  @EnabledIfSystemProperty(named = "quern.exhaustive", matches = "true")
  void everyBf16ByEveryScale() {
    Visited all = visit(FloatType.BF16, 7, IntStream.range(0, 0xFF));
    assertThat(all.elements).isEqualTo(65_536L * 0x7F7F);
    assertThat(all.reciprocalScales).isEqualTo(twin == Twin.VECTOR ? 128 * 100 + 1 : 0);
  }

  @Test
  @EnabledIfSystemProperty(named = "quern.exhaustive", matches = "true")
  void everyF16ByEveryScale() {
    Visited all = visit(FloatType.F16, 10, IntStream.range(0, 0x1F));
    assertThat(all.elements).isEqualTo(65_536L * 0x7BFF);
  }

  /** What was compared. */
  private record Visited(long elements, long reciprocalElements, int reciprocalScales) {
    private Visited plus(Visited other) {
      return new Visited(
          elements + other.elements,
          reciprocalElements + other.reciprocalElements,
          reciprocalScales + other.reciprocalScales);
    }
  }

  /**
   * All elements by all scales with these exponents, on all processors.
   *
   * @param fractionBits of the type
   * @param exponents exponent fields of scales
   */
  private Visited visit(FloatType type, int fractionBits, IntStream exponents) {
    Kernels kernels = twin.kernels();
    return exponents
        .parallel()
        .mapToObj(e -> visit(kernels, type, e << fractionBits, (e + 1) << fractionBits))
        .reduce(new Visited(0, 0, 0), Visited::plus);
  }

  private Visited visit(Kernels kernels, FloatType type, int begin, int end) {
    try (Arena arena = Arena.ofConfined()) {
      AllHalves halves = new AllHalves(arena, type);
      for (int bits = Math.max(begin, 1); bits < end; bits++) { // a scale is positive
        halves.check(kernels, bits);
        if (type == FloatType.BF16 && twin == Twin.VECTOR) {
          halves.checkReciprocal(bits);
        }
      }
      return new Visited(halves.visited, halves.reciprocalVisited, halves.reciprocalScales);
    }
  }

  /** Midpoints of E4M3 times the scale with their neighbours, special values and random bits. */
  @Test
  void f32AtMidpointsAndAnywhere() {
    Kernels kernels = twin.kernels();
    SplittableRandom random = new SplittableRandom(27);
    FloatType f32 = FloatType.F32;
    int n = 4096;
    int scales = 2000;
    long visited = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocate(4L * n, 64);
      Guarded expected = new Guarded(arena, n);
      Guarded found = new Guarded(arena, n);
      for (int round = 0; round < scales; round++) {
        Inputs.anyBits(source, 0, random);
        float scale = f32Scale(round, random);
        int i = putMidpoints(source, scale);
        for (int special : Inputs.specialBits(f32)) {
          Inputs.putBits(f32, source, 4L * i++, special);
        }
        assertThat(i).isLessThan(n / 2);
        expected.poison();
        found.poison();
        long at = expected.offset();
        Twin.LAW.quantizeE4M3(f32, source, 0, n, scale, expected.memory(), at);
        kernels.quantizeE4M3(f32, source, 0, n, scale, found.memory(), at);
        found.checkEquals(at, expected, at, n, "F32 by scale " + Float.toHexString(scale));
        visited += n;
      }
    }
    assertThat(visited).isEqualTo((long) n * scales);
  }

  private static float f32Scale(int round, SplittableRandom random) {
    float[] first = {
      Float.MIN_VALUE, Float.MIN_NORMAL, 0x1p-100f, 0x1p-30f, 1f, 3f, 0x1p100f, Float.MAX_VALUE
    };
    if (round < first.length) {
      return first[round];
    }
    // Half of them as weights have them, half of them anything positive.
    int exponent = round % 2 == 0 ? 127 - 7 - random.nextInt(16) : random.nextInt(255);
    return Float.intBitsToFloat(Math.max(1, (exponent << 23) | random.nextInt(1 << 23)));
  }

  /** Midpoint {@code k} is (2k + 1) half steps of E4M3 above zero; the last one is 464. */
  private static int putMidpoints(MemorySegment source, float scale) {
    int i = 0;
    for (int k = 0; k < 0x7F; k++) {
      // The value of a code with one fraction bit more than E4M3 has.
      int halfSteps = 2 * k + 1;
      int exponent = Math.max(halfSteps >> 4, 1);
      int significand = halfSteps < 16 ? halfSteps : 16 + (halfSteps & 15);
      float midpoint = Math.scalb((float) significand, exponent - 11);
      int bits = Float.floatToRawIntBits(midpoint * scale);
      for (int neighbour = -2; neighbour <= 2; neighbour++) {
        Inputs.putBits(FloatType.F32, source, 4L * i++, bits + neighbour);
        Inputs.putBits(FloatType.F32, source, 4L * i++, (bits + neighbour) | 0x8000_0000);
      }
    }
    return i;
  }

  /** All bit patterns of a half-precision type, in the order of their magnitudes, +x before -x. */
  private static final class AllHalves {
    private static final int ELEMENTS = 1 << 16;
    private static final int LANES = 32; // as many as the widest vectors have

    private final FloatType type;
    private final MemorySegment source;
    private final long begin;
    private final Guarded expected;
    private final Guarded found;
    private long visited;
    private long reciprocalVisited;
    private int reciprocalScales;

    AllHalves(Arena arena, FloatType type) {
      this.type = type;
      this.source = arena.allocate(2L * (LANES + ELEMENTS), 64); // zeros first
      this.begin = 2L * LANES;
      this.expected = new Guarded(arena, ELEMENTS);
      this.found = new Guarded(arena, ELEMENTS + LANES);
      for (int i = 0; i < ELEMENTS; i++) {
        Inputs.putBits(type, source, begin + 2L * i, (i >> 1) | (i & 1) << 15);
      }
    }

    void check(Kernels kernels, int scaleBits) {
      float scale = type.decode(scaleBits);
      long at = expected.offset();
      expected.poison();
      found.poison();
      Twin.LAW.quantizeE4M3(type, source, begin, ELEMENTS, scale, expected.memory(), at);
      kernels.quantizeE4M3(type, source, begin, ELEMENTS, scale, found.memory(), at);
      found.checkEquals(at, expected, at, ELEMENTS, type + " by scale " + Float.toHexString(scale));
      visited += ELEMENTS;
    }

    /**
     * The loop that multiplies, on all elements whose quotients are small enough for it; after
     * {@link #check} with the same scale. In front of them go as many zeros as make the number of
     * elements a multiple of the vector's, so that no element is left to the law.
     */
    void checkReciprocal(int scaleBits) {
      float scale = type.decode(scaleBits);
      boolean inRegion = scale >= 0x1p-100f && scale <= 1;
      if (E4M3QuantizeBf16.reciprocalIsExact(scale) != inRegion) {
        fail("the reciprocal's region has scale %a wrong", scale);
      }
      if (!inRegion) {
        return;
      }
      int fitting = fitting(scale);
      int zeros = -fitting & (LANES - 1);
      long at = expected.offset();
      found.poison();
      if (!reciprocal(scale, zeros, fitting)) {
        fail("scale %a: %d elements should fit, and do not", scale, fitting);
      }
      String call = "bf16 by the reciprocal of " + Float.toHexString(scale);
      found.checkEquals(at + zeros, expected, at, fitting, call);
      found.checkSurroundings(at, zeros + fitting, call);
      reciprocalVisited += fitting;
      // One quotient more is too large, and must be noticed.
      int tooMany = fitting + LANES;
      if (tooMany <= ELEMENTS && reciprocal(scale, zeros, tooMany)) {
        fail("scale %a: the reciprocal took a quotient above 464", scale);
      }
      reciprocalScales++;
    }

    private boolean reciprocal(float scale, int zeros, int elements) {
      return E4M3QuantizeBf16.quantize(
          source, begin - 2L * zeros, zeros + elements, scale, found.memory(), found.offset());
    }

    /** Number of elements, from the first, whose quotient rounds to at most 464. */
    private int fitting(float scale) {
      int low = 0;
      int high = ELEMENTS / 2;
      while (low < high) {
        int middle = (low + high) >>> 1;
        if (type.round(type.decode(middle) / scale) <= 464) {
          low = middle + 1;
        } else {
          high = middle; // and so for NaN
        }
      }
      return 2 * low;
    }
  }
}
